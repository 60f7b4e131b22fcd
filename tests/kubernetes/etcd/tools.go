//go:build tools

// Package tools names the command that `make kubernetes` builds, so that its version is locked by go.mod and go.sum.
package tools

import _ "go.etcd.io/etcd/server/v3"
