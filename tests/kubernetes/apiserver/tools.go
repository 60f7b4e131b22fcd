//go:build tools

// Package tools names the commands that `make kubernetes` builds, so that their version is locked by go.mod and go.sum.
package tools

import (
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kube-controller-manager"
)
