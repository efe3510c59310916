package wall

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/parser"

	"masthead/internal/fault"
)

// Term is one condition as a form has it: a field, what it is compared by, and a
// value. All terms of a rule must be true; no term at all is always true.
type Term struct {
	Field string // one of [Fields]
	Op    string // one of the field's
	Value string
}

// Field is something that a form can ask for.
type Field struct {
	Name     string // "section"
	Variable string // "story.sections"
	Ops      []string
	Type     string // "list", "string", "int", "bool"
}

// What a field is compared by.
const (
	OpIs    = "is"
	OpIsNot = "not"
	OpMore  = "more" // than
	OpLess  = "less" // than
)

// Fields gives what a form can ask for, in order.
func Fields() []Field {
	is, number := []string{OpIs, OpIsNot}, []string{OpMore, OpLess, OpIs}
	return []Field{
		{"section", "story.sections", is, "list"},
		{"topic", "story.topics", is, "list"},
		{"age", "story.age_days", number, "int"},
		{"kind", "story.kind", is, "string"},
		{"words", "story.words", number, "int"},
		{"lang", "story.lang", is, "string"},
		{"state", "reader.state", is, "string"},
		{"tier", "reader.tiers", is, "list"},
		{"reads", "visit.reads", number, "int"},
		{"referrer", "visit.referrer", is, "string"},
		{"crawler", "visit.crawler", is, "bool"},
	}
}

func fieldOf(match func(Field) bool) (Field, bool) {
	all := Fields()
	i := slices.IndexFunc(all, match)
	if i < 0 {
		return Field{}, false
	}
	return all[i], true
}

var wholeNumber = regexp.MustCompile(`^[0-9]{1,6}$`)

// CEL writes the term. One that says nothing sensible is fault.Invalid.
func (t Term) CEL() (string, error) {
	f, ok := fieldOf(func(f Field) bool { return f.Name == t.Field })
	if !ok || !slices.Contains(f.Ops, t.Op) {
		return "", fault.New(fault.Invalid, "no such condition", "field", t.Field, "comparison", t.Op)
	}
	value, not := strings.TrimSpace(t.Value), t.Op == OpIsNot
	switch f.Type {
	case "bool":
		if not {
			return "!" + f.Variable, nil
		}
		return f.Variable, nil
	case "int":
		if !wholeNumber.MatchString(value) {
			return "", fault.New(fault.Invalid, "this is no number", "field", t.Field, "value", value)
		}
		n, _ := strconv.Atoi(value)
		return fmt.Sprintf("%s %s %d", f.Variable, map[string]string{OpMore: ">", OpLess: "<", OpIs: "=="}[t.Op], n), nil
	}
	if value == "" {
		return "", fault.New(fault.Invalid, "this has no value", "field", t.Field)
	}
	switch {
	case f.Type == "list" && not:
		return fmt.Sprintf("!(%s in %s)", strconv.Quote(value), f.Variable), nil
	case f.Type == "list":
		return fmt.Sprintf("%s in %s", strconv.Quote(value), f.Variable), nil
	case not:
		return f.Variable + " != " + strconv.Quote(value), nil
	}
	return f.Variable + " == " + strconv.Quote(value), nil
}

// Typed writes terms as they were typed, be they right or not: what is wrong
// with them is said of the condition.
func Typed(terms []Term) string {
	parts := make([]string, len(terms))
	for i, t := range terms {
		text, err := t.CEL()
		if f, ok := fieldOf(func(f Field) bool { return f.Name == t.Field }); err != nil && ok {
			sign := map[string]string{OpMore: ">", OpLess: "<", OpIs: "==", OpIsNot: "!="}[t.Op]
			if text = f.Variable + " " + sign + " " + strings.TrimSpace(t.Value); f.Type != "int" {
				text = f.Variable + " " + sign + " " + strconv.Quote(strings.TrimSpace(t.Value))
			}
		}
		parts[i] = text
	}
	if len(parts) == 0 {
		return "true"
	}
	return strings.Join(parts, " && ")
}

// Condition writes terms as one condition; of none it is "true".
func Condition(terms []Term) (string, error) {
	parts := make([]string, len(terms))
	for i, t := range terms {
		var err error
		if parts[i], err = t.CEL(); err != nil {
			return "", err
		}
	}
	if len(parts) == 0 {
		return "true", nil
	}
	return strings.Join(parts, " && "), nil
}

// Terms takes a condition apart. False means that it says what no form can, and
// stays CEL: what it gives, written again, is the same condition.
func Terms(condition string) ([]Term, bool) {
	env, err := environment()
	if err != nil {
		return nil, false
	}
	tree, issues := env.Compile(condition)
	if issues.Err() != nil {
		return nil, false
	}
	rep := tree.NativeRep()
	parts := conjuncts(rep.Expr(), nil)
	terms := []Term{}
	for _, e := range parts {
		if e.Kind() == ast.LiteralKind && e.AsLiteral() == types.True && len(parts) == 1 {
			break
		}
		t, ok := termOf(rep, e)
		if !ok {
			return nil, false
		}
		terms = append(terms, t)
	}
	again, err := Condition(terms)
	if err != nil {
		return nil, false
	}
	if both, issues := env.Compile(again); issues.Err() != nil || written(both.NativeRep()) != written(rep) {
		return nil, false
	}
	return terms, true
}

// written is a condition's one normal form.
func written(tree *ast.AST) string {
	text, err := parser.Unparse(tree.Expr(), tree.SourceInfo())
	if err != nil {
		return ""
	}
	return text
}

// termOf reads one term.
func termOf(tree *ast.AST, e ast.Expr) (t Term, ok bool) {
	variable := func(e ast.Expr) (Field, bool) {
		r := tree.ReferenceMap()[e.ID()]
		if r == nil {
			return Field{}, false
		}
		return fieldOf(func(f Field) bool { return f.Variable == r.Name })
	}
	if f, found := variable(e); found { // visit.crawler
		return Term{f.Name, OpIs, ""}, f.Type == "bool"
	}
	if e.Kind() != ast.CallKind {
		return t, false
	}
	call := e.AsCall()
	args := call.Args()
	if call.FunctionName() == operators.LogicalNot && len(args) == 1 {
		t, ok = termOf(tree, args[0])
		f, _ := fieldOf(func(f Field) bool { return f.Name == t.Field })
		ok = ok && t.Op == OpIs && (f.Type == "bool" || f.Type == "list")
		t.Op = OpIsNot
		return t, ok
	}
	if len(args) != 2 {
		return t, false
	}
	op := map[string]string{operators.Equals: OpIs, operators.NotEquals: OpIsNot, operators.Greater: OpMore, operators.Less: OpLess, operators.In: "in"}[call.FunctionName()]
	left, right := args[0], args[1]
	if op == "in" {
		left, right, op = right, left, OpIs
	}
	f, found := variable(left)
	if !found || right.Kind() != ast.LiteralKind || !slices.Contains(f.Ops, op) || (call.FunctionName() == operators.In) != (f.Type == "list") {
		return t, false
	}
	return Term{f.Name, op, fmt.Sprint(right.AsLiteral().Value())}, true
}
