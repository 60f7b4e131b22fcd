// Command validator judges CRD files as a Kubernetes API server does on admission: structure, CEL and its cost.
// Of a file that ends in .json, a list of objects, it prints what is wrong with each by the CRDs named before it.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	apiext "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/install"
	v1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	served "k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime"
	numbers "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
	limits "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"
)

func main() {
	scheme := runtime.NewScheme()
	install.Install(scheme)
	bad := 0
	kinds := map[string]*apiext.JSONSchemaProps{}
	for _, path := range os.Args[1:] {
		raw, err := os.ReadFile(path)
		if err != nil {
			panic(err)
		}
		if strings.HasSuffix(path, ".json") {
			judge(raw, kinds)
			continue
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
			kinds[crd.Spec.Names.Kind] = internal.Spec.Validation.OpenAPIV3Schema
		}
	}
	if bad > 0 {
		os.Exit(1)
	}
}

func judge(raw []byte, kinds map[string]*apiext.JSONSchemaProps) {
	var objects []map[string]interface{}
	if err := numbers.Unmarshal(raw, &objects); err != nil {
		panic(err)
	}
	for _, object := range objects {
		said := []string{}
		for _, e := range problems(object, kinds[object["kind"].(string)]) {
			said = append(said, e.Error())
		}
		line, err := json.Marshal(said)
		if err != nil {
			panic(err)
		}
		fmt.Println(string(line))
	}
}

func problems(object map[string]interface{}, props *apiext.JSONSchemaProps) field.ErrorList {
	structural, err := schema.NewStructural(props)
	if err != nil {
		panic(err)
	}
	validator, _, err := served.NewSchemaValidator(props)
	if err != nil {
		panic(err)
	}
	found := served.ValidateCustomResource(nil, object, validator)
	rules := cel.NewValidator(structural, true, limits.PerCallLimit)
	broken, _ := rules.Validate(context.Background(), nil, structural, object, nil, limits.RuntimeCELCostBudget)
	return append(found, broken...)
}
