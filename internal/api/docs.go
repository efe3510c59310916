package api

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"maps"
	"slices"

	"github.com/danielgtaylor/huma/v2"
)

//go:embed docs.html
var docsHTML string

// describe makes the page for people of the OpenAPI document. It needs no
// script, and nothing from any other host.
func describe(spec *huma.OpenAPI, style string) ([]byte, error) {
	t, err := template.New("docs").Funcs(template.FuncMap{
		"plain":  func(s *huma.Schema) string { return plain(spec.Components.Schemas, s) },
		"scope":  scope,
		"bodies": func(op *huma.Operation) []string { return bodies(spec.Components.Schemas, op) },
		"sorted": func(m map[string]*huma.Response) []string { return slices.Sorted(maps.Keys(m)) },
	}).Parse(docsHTML)
	if err != nil {
		return nil, err
	}
	page := struct {
		*huma.OpenAPI
		Style      string
		Operations []*huma.Operation
		Schemas    map[string]*huma.Schema
	}{spec, style, nil, spec.Components.Schemas.Map()}
	for _, path := range slices.Sorted(maps.Keys(spec.Paths)) {
		at := spec.Paths[path]
		for _, op := range []*huma.Operation{at.Get, at.Post, at.Put, at.Patch, at.Delete} {
			if op != nil {
				page.Operations = append(page.Operations, op)
			}
		}
	}
	var b bytes.Buffer
	err = t.Execute(&b, page)
	return b.Bytes(), err
}

// scope gives what a token needs for an operation; "" where it needs none.
func scope(op *huma.Operation) string {
	for _, way := range op.Security {
		if scopes := way["token"]; len(scopes) > 0 {
			return scopes[0]
		}
	}
	return ""
}

// bodies gives the forms of an operation's body, each with its shape.
func bodies(all huma.Registry, op *huma.Operation) (list []string) {
	if op.RequestBody == nil {
		return nil
	}
	for _, kind := range slices.Sorted(maps.Keys(op.RequestBody.Content)) {
		text := kind
		if shape := plain(all, op.RequestBody.Content[kind].Schema); shape != "" {
			text += ": " + shape
		}
		list = append(list, text)
	}
	return list
}

// plain gives the type of a schema in a word or two.
func plain(all huma.Registry, s *huma.Schema) string {
	switch {
	case s == nil:
		return ""
	case s.Ref != "":
		for name, schema := range all.Map() {
			if schema == all.SchemaFromRef(s.Ref) {
				return name
			}
		}
	case s.Items != nil:
		return "list of " + plain(all, s.Items)
	case len(s.Enum) > 0:
		text := ""
		for i, value := range s.Enum {
			if i > 0 {
				text += " | "
			}
			text += fmt.Sprint(value)
		}
		return text
	case s.Format != "":
		return s.Format
	case s.Type == "":
		return "any"
	}
	return s.Type
}
