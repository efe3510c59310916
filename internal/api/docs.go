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
		page.Operations = append(page.Operations, spec.Paths[path].Get)
	}
	var b bytes.Buffer
	err = t.Execute(&b, page)
	return b.Bytes(), err
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
