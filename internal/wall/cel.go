package wall

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"masthead/internal/fault"
)

// Variable is something a condition can ask for.
type Variable struct {
	Name string // as it is written: "story.age_days"
	Type string // "string", "int", "bool" or "list(string)"
	Doc  string
}

// Variables gives all that a condition can ask for, in order.
func Variables() []Variable {
	return []Variable{
		{"story.section", "string", "slug of the story's section"},
		{"story.sections", "list(string)", "that slug, and those of the sections it is within"},
		{"story.topics", "list(string)", "slugs of the story's topics"},
		{"story.age_days", "int", "whole days since it was published; 0 before"},
		{"story.access", "string", "the story's own access, which goes over the rules: empty wherever they are asked"},
		{"story.lang", "string", "language of the edition that is read: \"en\""},
		{"story.words", "int", "length of the edition in words"},
		{"story.kind", "string", "\"story\", or \"page\" for a standing page"},
		{"reader.state", "string", "\"anonymous\", \"registered\" or \"staff\""},
		{"reader.tiers", "list(string)", "names of the tiers that the reader holds"},
		{"visit.reads", "int", "stories that the meter has counted for the reader in the days of this rule's meter, or in 30 days where it grants none"},
		{"visit.referrer", "string", "host of the page that led here; empty when there is none"},
		{"visit.crawler", "bool", "a crawler that is verified to be what it says"},
	}
}

// What a condition may cost at worst, in CEL's own units (a comparison is one),
// if its values have the sizes below. One that might cost more is refused when
// it is set, so that evaluating it needs no counter. Two lists of 64 compared
// with each other are within the bound, and take half a millisecond.
const (
	maxCost     = 200_000
	sizeText    = 100 // letters of a slug, a tier, a host
	sizeList    = 64  // topics, sections, tiers
	maxLetters  = 2000
	maxReferrer = 253 // RFC 1035 §2.3.4; visitors write this one themselves
)

// environment makes the CEL environment. It is the same for every wall.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	opts := []cel.EnvOption{
		cel.EnableMacroCallTracking(), // so that a condition can be shown as it was written
		cel.ParserExpressionSizeLimit(maxLetters),
		cel.ParserRecursionLimit(50),
		cel.RegexProgramSizeLimit(1000),
	}
	kinds := map[string]*cel.Type{"string": cel.StringType, "int": cel.IntType, "bool": cel.BoolType,
		"list(string)": cel.ListType(cel.StringType)}
	for _, v := range Variables() {
		opts = append(opts, cel.VariableWithDoc(v.Name, kinds[v.Type], v.Doc))
	}
	return cel.NewEnv(opts...)
})

// table is the rules in force.
type table struct {
	rules  []compiled
	window int             // days: the longest of any rule
	hosts  map[string]bool // what referrers are compared with
}

// compiled is a rule ready to be asked.
type compiled struct {
	Rule
	ast  *cel.Ast
	eval cel.Program
	aged bool // asks for story.age_days
}

// compile makes a table of rules, or of [DefaultRules] when there are none.
func compile(rules []Rule) (*table, error) {
	if len(rules) == 0 {
		rules = DefaultRules()
	}
	t := &table{rules: make([]compiled, len(rules))}
	var problems []error
	for i, r := range rules {
		c, err := compileRule(r)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		t.rules[i] = c
		t.window = max(t.window, c.window())
	}
	if len(problems) == 0 {
		t.hosts = hostsIn(t.rules)
		return t, nil
	}
	var text, hints []string
	for _, p := range problems {
		text = append(text, p.Error())
		if h := fault.Hint(p); h != "" && !slices.Contains(hints, h) {
			hints = append(hints, h)
		}
	}
	e := fault.New(fault.Invalid, strings.Join(text, "; "))
	e.Hint = strings.Join(hints, "; ")
	return nil, fmt.Errorf("wall.Set: %w", e)
}

// CheckRule refuses a rule that cannot be used, with kind fault.Invalid: the
// message names the line and column of its condition, the hint what to do.
func CheckRule(r Rule) error {
	_, err := compileRule(r)
	return err
}

func compileRule(r Rule) (compiled, error) {
	refuse := func(hint, format string, args ...any) (compiled, error) {
		e := fault.New(fault.Invalid, "rule "+quote(r.Name)+": "+fmt.Sprintf(format, args...))
		e.Hint = hint
		return compiled{}, e
	}
	if strings.TrimSpace(r.Name) == "" {
		return refuse("say in a few words what the rule is for", "it has no name")
	}
	if again, err := ParseGrant(r.Grant.String()); err != nil || again != r.Grant {
		return refuse("write open, meter N per D days, register, subscribe, or subscribe TIER", "%q cannot be granted", r.Grant)
	}
	if strings.TrimSpace(r.When) == "" {
		return refuse("write true for a rule that always matches", "it has no condition")
	}
	env, err := environment()
	if err != nil {
		return compiled{}, fmt.Errorf("wall: CEL environment: %w", err)
	}
	tree, issues := env.Compile(r.When)
	if issues.Err() != nil {
		hint := hintFor(r.When)
		var found []string
		for _, e := range issues.Errors() {
			found = append(found, fmt.Sprintf("line %d, column %d: %s", e.Location.Line(), e.Location.Column()+1, plain(e.Message)))
		}
		return refuse(hint, "%s", strings.Join(found, "; "))
	}
	if !tree.OutputType().IsExactType(cel.BoolType) {
		return refuse("compare it with something, so that it is true or false", "the condition gives a value of type %s", tree.OutputType())
	}
	estimate, err := env.EstimateCost(tree, sizes{})
	if err != nil {
		return refuse("write it in a simpler way", "its cost cannot be told: %v", err)
	}
	if estimate.Max > maxCost {
		return refuse("nest fewer exists, all, filter and map in one another", "the condition may cost %d, more than the %d that one may", estimate.Max, maxCost)
	}
	eval, err := env.Program(tree, cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return refuse("mend the condition", "%v", err)
	}
	return compiled{Rule: r, ast: tree, eval: eval, aged: asks(tree, "story.age_days")}, nil
}

var expecting = regexp.MustCompile(` expecting (?:\{.*\}|<EOF>)$`)

// plain makes CEL's messages fit a sentence.
func plain(message string) string {
	message = strings.TrimPrefix(strings.ReplaceAll(message, " (in container '')", ""), "Syntax error: ")
	message = expecting.ReplaceAllString(message, "")
	return strings.ReplaceAll(message, "input '<EOF>'", "end of the condition")
}

var (
	wordOperator = regexp.MustCompile(`\b(?:and|or|not)\b`)
	assignment   = regexp.MustCompile(`[^=!<>]=[^=]`)
)

// hintFor says what to do about a condition that does not compile.
func hintFor(condition string) string {
	switch bare := withoutStrings(condition); {
	case wordOperator.MatchString(bare):
		return "write && for and, || for or, ! for not"
	case assignment.MatchString(bare):
		return "write == to compare"
	}
	var names []string
	for _, v := range Variables() {
		names = append(names, v.Name)
	}
	return "write a condition such as story.age_days > 60 && reader.state == \"anonymous\"; it can ask for " + strings.Join(names, ", ")
}

var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'`)

func withoutStrings(condition string) string { return quoted.ReplaceAllString(condition, `""`) }

// sizes tells the cost estimate how large values are.
type sizes struct{}

func (sizes) EstimateSize(node cost.AstNode) *cost.SizeEstimate {
	if node.ComputedSize() != nil {
		return nil
	}
	switch t := node.Type(); {
	case t.IsExactType(cel.StringType):
		return &cost.SizeEstimate{Max: sizeText}
	case t.Kind() == types.ListKind:
		list := cost.ListSizeEstimate(cost.SizeEstimate{Max: sizeList}, cost.SizeEstimate{Max: sizeText})
		return &list
	}
	return nil
}

func (sizes) EstimateCallCost(function, overload string, target *cost.AstNode, args []cost.AstNode) *cost.CallEstimate {
	return nil
}

// asks reports whether a condition asks for a variable.
func asks(tree *cel.Ast, name string) bool {
	return slices.Contains(variablesOf(tree.NativeRep(), tree.NativeRep().Expr()), name)
}

// variablesOf gives the variables that an expression asks for, each once.
func variablesOf(tree *ast.AST, e ast.Expr) []string {
	var names []string
	ast.PostOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) {
		if r := tree.ReferenceMap()[e.ID()]; r != nil && strings.Contains(r.Name, ".") && !slices.Contains(names, r.Name) {
			names = append(names, r.Name)
		}
	}))
	return names
}

// match evaluates the rule's condition.
func (r *compiled) match(j *judge) (bool, error) {
	out, _, err := r.eval.Eval(j)
	if err != nil {
		return false, err
	}
	b, ok := out.(types.Bool)
	if !ok {
		return false, errors.New("the condition gave no truth value")
	}
	return bool(b), nil
}

// ResolveName gives a variable's value: a judge is the CEL activation of its
// own visit, so that only what a condition asks for is ever looked up.
func (j *judge) ResolveName(name string) (any, bool) {
	v, it := &j.visit, &j.item
	switch name {
	case "story.section":
		return types.String(it.Section), true
	case "story.sections":
		if it.Sections == nil && it.Section != "" {
			return texts([]string{it.Section}), true
		}
		return texts(it.Sections), true
	case "story.topics":
		return texts(it.Topics), true
	case "story.age_days":
		return types.Int(ageDays(v, it)), true
	case "story.access":
		return types.String(it.Access), true
	case "story.lang":
		return types.String(it.Lang), true
	case "story.words":
		return types.Int(it.Words), true
	case "story.kind":
		return types.String(it.Kind), true
	case "reader.state":
		if v.Reader.State == "" {
			return types.String(Anonymous), true
		}
		return types.String(v.Reader.State), true
	case "reader.tiers":
		return texts(v.Reader.Tiers), true
	case "visit.reads":
		used, _, err := j.count(j.window)
		if err != nil {
			return types.WrapErr(fmt.Errorf("the stories that were read cannot be counted: %w", err)), true
		}
		return types.Int(used), true
	case "visit.referrer":
		return types.String(v.Referrer[:min(len(v.Referrer), maxReferrer)]), true
	case "visit.crawler":
		return types.Bool(v.Crawler != ""), true
	}
	return nil, false
}

// Parent gives no further activation.
func (j *judge) Parent() cel.Activation { return nil }

func texts(list []string) ref.Val { return types.NewStringList(types.DefaultTypeAdapter, list) }

// ageDays counts in seconds, since a Duration holds 292 years alone.
func ageDays(v *Visit, it *Item) int64 {
	if it.PublishedAt.IsZero() {
		return 0
	}
	return max(0, (v.Now.Unix()-it.PublishedAt.Unix())/86400)
}
