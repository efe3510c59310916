// Command doccheck names every exported declaration that has no doc comment:
//
//	go run ./tools/doccheck internal ui
//
// Methods that only satisfy a well-known interface need none, nor do the fields
// of a struct or the names of a group that has a comment.
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// plain are the methods whose meaning their interface tells.
var plain = map[string]bool{
	"Error": true, "Unwrap": true, "Is": true, "String": true, "Kind": true, "Len": true, "Less": true, "Swap": true,
	"MarshalJSON": true, "UnmarshalJSON": true, "MarshalText": true, "UnmarshalText": true, "Scan": true, "Value": true,
	"Read": true, "Write": true, "Close": true, "ServeHTTP": true, "Enabled": true, "Handle": true, "WithAttrs": true, "WithGroup": true,
}

func main() {
	missing := 0
	for _, root := range os.Args[1:] {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && (d.Name() == "node_modules" || d.Name() == "testdata"):
				return filepath.SkipDir
			case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
				return nil
			}
			n, err := check(path)
			missing += n
			return err
		})
		if err != nil {
			fmt.Fprintf(os.Stderr, "doccheck: %v\n", err)
			os.Exit(2)
		}
	}
	if missing > 0 {
		fmt.Fprintf(os.Stderr, "doccheck: %d exported names have no doc comment\n", missing)
		os.Exit(1)
	}
}

// check prints the undocumented names of one file and counts them.
func check(path string) (missing int, err error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return 0, err
	}
	report := func(at token.Pos, name string) {
		fmt.Printf("%s: %s has no doc comment\n", files.Position(at), name)
		missing++
	}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Name.IsExported() && d.Doc == nil && !(d.Recv != nil && (plain[d.Name.Name] || !ast.IsExported(receiver(d)))) {
				report(d.Pos(), d.Name.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					if s.Name.IsExported() && d.Doc == nil && s.Doc == nil {
						report(s.Pos(), s.Name.Name)
					}
				case *ast.ValueSpec:
					for _, name := range s.Names {
						if name.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
							report(name.Pos(), name.Name)
						}
					}
				}
			}
		}
	}
	return missing, nil
}

// receiver gives the name of a method's type.
func receiver(d *ast.FuncDecl) string {
	t := d.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}
