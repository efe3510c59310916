package web

import (
	"fmt"
	"html/template"
	"reflect"
	"slices"
	"text/template/parse"
)

// Check type-checks the templates of a page against its struct without
// executing them: every field and method that a template names must exist,
// be reachable with the dot as it stands there, and take the arguments given.
// Branches that no sample reaches are checked like the others. It reports
// everything that is wrong.
func (r *Renderer) Check(name string, page any) []error {
	set, err := r.pages.get(name)
	if err != nil {
		return []error{err}
	}
	c := &checker{set: set, funcs: r.Funcs(), seen: map[string]bool{}}
	c.template(name, "layout", reflect.TypeOf(page))
	return c.errs
}

type checker struct {
	set   *template.Template
	funcs template.FuncMap
	seen  map[string]bool
	errs  []error
}

// scope is the variables in force, innermost last; a nil type is not known.
type scope struct {
	where string
	dot   reflect.Type
	vars  []variable
}

type variable struct {
	name string
	typ  reflect.Type
}

func (c *checker) errorf(s *scope, node parse.Node, format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf("%s: %s: %s", s.where, node, fmt.Sprintf(format, args...)))
}

func (c *checker) template(from, name string, dot reflect.Type) {
	key := fmt.Sprint(name, " ", dot)
	if c.seen[key] {
		return
	}
	c.seen[key] = true
	t := c.set.Lookup(name)
	if t == nil || t.Tree == nil || t.Tree.Root == nil {
		c.errs = append(c.errs, fmt.Errorf("%s: template %q is not defined", from, name))
		return
	}
	c.list(&scope{where: name, dot: dot, vars: []variable{{"$", dot}}}, t.Tree.Root)
}

func (c *checker) list(s *scope, list *parse.ListNode) {
	if list == nil {
		return
	}
	for _, node := range list.Nodes {
		c.node(s, node)
	}
}

func (c *checker) node(s *scope, node parse.Node) {
	switch n := node.(type) {
	case *parse.ActionNode:
		c.pipe(s, n.Pipe)
	case *parse.TemplateNode:
		var dot reflect.Type
		if n.Pipe != nil {
			dot = c.pipe(s, n.Pipe)
		}
		c.template(s.where, n.Name, dot)
	case *parse.IfNode:
		c.branch(s, &n.BranchNode, func(in *scope, _ reflect.Type) {})
	case *parse.WithNode:
		c.branch(s, &n.BranchNode, func(in *scope, t reflect.Type) { in.dot = t })
	case *parse.RangeNode:
		c.branch(s, &n.BranchNode, func(in *scope, t reflect.Type) {
			in.dot = element(t)
			if t != nil && in.dot == nil {
				c.errorf(s, n.Pipe, "cannot range over %s", t)
			}
			if d := n.Pipe.Decl; len(d) > 0 { // the last names the element, one before it the index
				in.set(d[len(d)-1].Ident[0], in.dot)
				if len(d) > 1 {
					in.set(d[0].Ident[0], reflect.TypeFor[int]())
				}
			}
		})
	}
}

func (c *checker) branch(s *scope, n *parse.BranchNode, enter func(*scope, reflect.Type)) {
	in := &scope{s.where, s.dot, slices.Clone(s.vars)}
	enter(in, c.pipe(in, n.Pipe))
	c.list(in, n.List)
	c.list(&scope{s.where, s.dot, slices.Clone(s.vars)}, n.ElseList)
}

func element(t reflect.Type) reflect.Type {
	if t == nil {
		return nil
	}
	switch t.Kind() {
	case reflect.Slice, reflect.Array, reflect.Map, reflect.Chan:
		return t.Elem()
	case reflect.Int:
		return t
	}
	return nil
}

func (s *scope) set(name string, t reflect.Type) {
	for i := range s.vars {
		if s.vars[i].name == name {
			s.vars[i].typ = t
			return
		}
	}
	s.vars = append(s.vars, variable{name, t})
}

func (c *checker) pipe(s *scope, p *parse.PipeNode) (t reflect.Type) {
	for i, cmd := range p.Cmds {
		t = c.command(s, cmd, i > 0)
	}
	for _, v := range p.Decl {
		s.set(v.Ident[0], t)
	}
	return t
}

func (c *checker) command(s *scope, cmd *parse.CommandNode, piped bool) reflect.Type {
	args := len(cmd.Args) - 1
	if piped {
		args++
	}
	types := make([]reflect.Type, 0, args)
	for _, arg := range cmd.Args[1:] {
		types = append(types, c.arg(s, arg))
	}
	switch n := cmd.Args[0].(type) {
	case *parse.FieldNode:
		return c.fields(s, n, s.dot, n.Ident, args)
	case *parse.VariableNode:
		return c.fields(s, n, c.variable(s, n), n.Ident[1:], args)
	case *parse.ChainNode:
		return c.fields(s, n, c.arg(s, n.Node), n.Field, args)
	case *parse.IdentifierNode:
		return c.function(s, n, types)
	default:
		return c.arg(s, n)
	}
}

func (c *checker) arg(s *scope, node parse.Node) reflect.Type {
	switch n := node.(type) {
	case *parse.DotNode:
		return s.dot
	case *parse.FieldNode:
		return c.fields(s, n, s.dot, n.Ident, 0)
	case *parse.VariableNode:
		return c.fields(s, n, c.variable(s, n), n.Ident[1:], 0)
	case *parse.ChainNode:
		return c.fields(s, n, c.arg(s, n.Node), n.Field, 0)
	case *parse.PipeNode:
		return c.pipe(s, n)
	case *parse.IdentifierNode:
		return c.function(s, n, nil)
	case *parse.StringNode:
		return reflect.TypeFor[string]()
	case *parse.BoolNode:
		return reflect.TypeFor[bool]()
	case *parse.NumberNode:
		return reflect.TypeFor[int]()
	}
	return nil
}

func (c *checker) variable(s *scope, n *parse.VariableNode) reflect.Type {
	for _, v := range slices.Backward(s.vars) {
		if v.name == n.Ident[0] {
			return v.typ
		}
	}
	c.errorf(s, n, "variable %s is not known", n.Ident[0])
	return nil
}

// fields follows a chain of names from t; args go to the last.
func (c *checker) fields(s *scope, node parse.Node, t reflect.Type, names []string, args int) reflect.Type {
	for i, name := range names {
		if t == nil {
			return nil
		}
		given := 0
		if i == len(names)-1 {
			given = args
		}
		t = c.field(s, node, t, name, given)
	}
	return t
}

func (c *checker) field(s *scope, node parse.Node, t reflect.Type, name string, args int) reflect.Type {
	if t.Kind() == reflect.Interface && t.NumMethod() == 0 {
		return nil
	}
	m, ok := t.MethodByName(name)
	if !ok && t.Kind() != reflect.Pointer {
		m, ok = reflect.PointerTo(t).MethodByName(name)
	}
	if ok {
		least := m.Type.NumIn() - 1 // without the receiver
		if m.Type.IsVariadic() {
			if least--; args >= least {
				return m.Type.Out(0)
			}
		}
		if args != least {
			c.errorf(s, node, "%s takes %d arguments, not %d", name, least, args)
		}
		return m.Type.Out(0)
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Struct:
		if f, ok := t.FieldByName(name); ok && f.IsExported() {
			if args > 0 {
				c.errorf(s, node, "%s is a field and takes no arguments", name)
			}
			return f.Type
		}
	case reflect.Map:
		return t.Elem()
	}
	c.errorf(s, node, "%s has no field or method %s", t, name)
	return nil
}

func (c *checker) function(s *scope, n *parse.IdentifierNode, args []reflect.Type) reflect.Type {
	if f, ok := c.funcs[n.Ident]; ok {
		return reflect.TypeOf(f).Out(0)
	}
	switch n.Ident {
	case "len":
		return reflect.TypeFor[int]()
	case "print", "printf", "println", "urlquery", "html", "js":
		return reflect.TypeFor[string]()
	case "eq", "ne", "lt", "le", "gt", "ge", "not":
		return reflect.TypeFor[bool]()
	case "and", "or":
		if len(args) > 0 {
			return args[len(args)-1]
		}
	case "index":
		if len(args) > 1 {
			return element(args[0])
		}
	}
	return nil
}
