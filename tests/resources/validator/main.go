// Command validator judges CRD files as a Kubernetes API server does on admission: structure, CEL and its cost.
package main

import (
	"context"
	"fmt"
	"os"

	apiext "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/install"
	v1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
)

func main() {
	scheme := runtime.NewScheme()
	install.Install(scheme)
	bad := 0
	for _, path := range os.Args[1:] {
		raw, err := os.ReadFile(path)
		if err != nil {
			panic(err)
		}
		var crd v1.CustomResourceDefinition
		if err := yaml.UnmarshalStrict(raw, &crd); err != nil {
			fmt.Println(path, err)
			bad++
			continue
		}
		v1.SetDefaults_CustomResourceDefinition(&crd)
		v1.SetDefaults_CustomResourceDefinitionSpec(&crd.Spec)
		var internal apiext.CustomResourceDefinition
		if err := scheme.Convert(&crd, &internal, nil); err != nil {
			panic(err)
		}
		internal.Status.StoredVersions = []string{"v1alpha1"}
		errs := validation.ValidateCustomResourceDefinition(context.Background(), &internal)
		for _, e := range errs {
			fmt.Println(path, e)
			bad++
		}
		if len(errs) == 0 {
			fmt.Println(path, "ok")
		}
	}
	if bad > 0 {
		os.Exit(1)
	}
}
