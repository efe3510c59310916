package wall

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"
	"cel.dev/cel-go/parser"
)

// Step is one line of the reason for a decision.
type Step struct {
	Rule    string // name of the rule, or one of the By constants
	When    string // its condition; "" for what stands before the rules
	Grant   string
	Matched bool
	Decides bool   // this is what the decision rests on
	Reason  string // "story.age_days > 60: 12 > 60 is false"
}

// String gives the step as one line for a terminal.
func (s Step) String() string {
	mark := " "
	switch {
	case s.Decides:
		mark = ">"
	case s.Matched:
		mark = "+"
	}
	return fmt.Sprintf("%s %s (%s): %s", mark, s.Rule, s.Grant, s.Reason)
}

// Why tells each step of what [Wall.Decide] says of the same visit: every rule,
// with the reason that it did or did not match. Exactly one step Decides.
func (w *Wall) Why(v Visit, it Item) []Step {
	tr := &trace{}
	w.decide(v, it, tr)
	return tr.steps
}

// trace collects steps; a nil one collects nothing.
type trace struct{ steps []Step }

func (j *judge) step(rule, grant string, decides bool, reason string) {
	if j.trace != nil {
		j.trace.steps = append(j.trace.steps, Step{Rule: rule, Grant: grant, Matched: decides, Decides: decides, Reason: reason})
	}
}

// note adds a step that decides nothing.
func (j *judge) note(rule, grant, reason string) { j.step(rule, grant, false, reason) }

// tried notes whose rules decide while a trial is on.
func (j *judge) tried(t *running, arm Arm) {
	if j.trace == nil {
		return
	}
	switch arm {
	case NoArm:
		j.note(byTrial, arm.String(), "the trial "+quote(t.Name)+" is on; this visitor is in none of its arms, and has the wall that is live")
	case ArmA:
		j.note(byTrial, arm.String(), "the trial "+quote(t.Name)+" is on; this visitor is in arm A, the wall that is live")
	default:
		j.note(byTrial, arm.String(), "the trial "+quote(t.Name)+" is on; this visitor is in arm B, whose rules follow")
	}
}

// overrule adds a step that decides in the place of the one before.
func (j *judge) overrule(rule, grant, reason string) {
	if j.trace != nil {
		for i := range j.trace.steps {
			j.trace.steps[i].Decides = false
		}
		j.step(rule, grant, true, reason)
	}
}

// explain adds the step of a rule: d is what it decided, nil if it did not match.
func (j *judge) explain(r *compiled, err error, d *Decision) {
	if j.trace == nil {
		return
	}
	s := Step{Rule: r.Name, When: r.When, Grant: r.Grant.String(), Matched: d != nil, Decides: d != nil}
	if err != nil {
		s.Reason = "the condition failed, which counts as not matched: " + err.Error()
	} else {
		s.Reason = r.reason(j, d != nil)
	}
	if d != nil {
		s.Reason += j.outcome(*d)
	}
	j.trace.steps = append(j.trace.steps, s)
}

// rest adds the rules below the one that decided.
func (j *judge) rest(rules []compiled) {
	if j.trace == nil {
		return
	}
	for i := range rules {
		r := &rules[i]
		j.trace.steps = append(j.trace.steps, Step{Rule: r.Name, When: r.When, Grant: r.Grant.String(), Reason: "not asked, since a rule above decided"})
	}
}

// outcome tells what a grant came to for this reader.
func (j *judge) outcome(d Decision) string {
	switch {
	case d.Verdict == Open:
		return ""
	case d.Rule == ByCrawler:
		return "; " + j.visit.Crawler + " is a verified crawler, which passes"
	case d.Verdict == Register && d.Full:
		return "; the reader is registered"
	case d.Verdict == Register:
		return "; the reader is not registered"
	case d.Verdict == Subscribe && d.Full:
		return "; the reader holds " + list(j.visit.Reader.Tiers)
	case d.Verdict == Subscribe:
		return "; the reader holds no such tier: " + list(j.visit.Reader.Tiers)
	case j.readErr != nil:
		return "; the stories that were read cannot be counted, so the meter is spent: " + j.readErr.Error()
	case d.Count:
		return fmt.Sprintf("; this is story %d of %d in %d days", d.Used, d.Limit, d.Days)
	case d.Full:
		return fmt.Sprintf("; the story was counted before, as one of %d of %d in %d days", d.Used, d.Limit, d.Days)
	case d.Offered:
		return fmt.Sprintf("; %d of %d stories are read in %d days, and this visit may not count another", d.Used, d.Limit, d.Days)
	}
	return fmt.Sprintf("; the meter is spent: %d of %d stories in %d days", d.Used, d.Limit, d.Days)
}

// reason shows why a condition is true or false: of a false one, the first of
// its && terms that is false; of a true one, every term.
func (r *compiled) reason(j *judge, matched bool) string {
	tree := r.ast.NativeRep()
	terms := conjuncts(tree.Expr(), nil)
	state := r.state(j)
	var shown []string
	for _, term := range terms {
		if value, ok := state.Value(term.ID()); ok && value == types.False {
			return show(tree, term, state, "false")
		}
		shown = append(shown, show(tree, term, state, "true"))
	}
	if matched {
		return strings.Join(shown, ", ")
	}
	return quote(r.When) + " is false"
}

// state evaluates every part of the condition and keeps their values.
func (r *compiled) state(j *judge) interpreter.EvalState {
	env, err := environment()
	if err == nil {
		var program cel.Program
		if program, err = env.Program(r.ast, cel.EvalOptions(cel.OptExhaustiveEval)); err == nil {
			// An error of a part that does not matter is no error of the whole, which was evaluated before.
			if _, details, _ := program.Eval(j); details != nil && details.State() != nil {
				return details.State()
			}
		}
	}
	return interpreter.NewEvalState()
}

// conjuncts gives the terms of a chain of &&.
func conjuncts(e ast.Expr, terms []ast.Expr) []ast.Expr {
	if e.Kind() == ast.CallKind && e.AsCall().FunctionName() == operators.LogicalAnd {
		for _, arg := range e.AsCall().Args() {
			terms = conjuncts(arg, terms)
		}
		return terms
	}
	return append(terms, e)
}

// show writes one term with the values it was judged by:
// "story.age_days > 60: 12 > 60 is false".
func show(tree *ast.AST, term ast.Expr, state interpreter.EvalState, truth string) string {
	text, err := parser.Unparse(term, tree.SourceInfo())
	if err != nil {
		return "the condition is " + truth
	}
	names := variablesOf(tree, term)
	switch {
	case term.Kind() == ast.LiteralKind:
		return "it always matches"
	case len(names) == 0 || text == names[0]:
		return text + " is " + truth
	}
	macro := false // an exists or all cannot be written with values in it
	ast.PostOrderVisit(term, ast.NewExprVisitor(func(e ast.Expr) {
		macro = macro || e.Kind() == ast.ComprehensionKind
	}))
	factory := ast.NewExprFactory()
	filled := factory.CopyExpr(term)
	values := make(map[string]string)
	ast.PostOrderVisit(filled, ast.NewExprVisitor(func(e ast.Expr) {
		r := tree.ReferenceMap()[e.ID()]
		if r == nil || !slices.Contains(names, r.Name) {
			return
		}
		if v, ok := state.Value(e.ID()); ok {
			literal := literalOf(factory, e.ID(), v)
			values[r.Name], _ = parser.Unparse(literal, ast.NewSourceInfo(nil))
			e.SetKindCase(literal)
		}
	}))
	if !macro {
		if with, err := parser.Unparse(filled, tree.SourceInfo()); err == nil {
			return text + ": " + with + " is " + truth
		}
	}
	var where []string
	for _, n := range names {
		if v, ok := values[n]; ok {
			where = append(where, n+" is "+v)
		}
	}
	return text + " is " + truth + ", where " + strings.Join(where, " and ")
}

// literalOf writes a value as CEL would.
func literalOf(factory ast.ExprFactory, id int64, v ref.Val) ast.Expr {
	l, ok := v.(traits.Lister)
	if !ok {
		return factory.NewLiteral(id, v)
	}
	var elements []ast.Expr
	for it := l.Iterator(); it.HasNext() == types.True; {
		elements = append(elements, factory.NewLiteral(0, it.Next()))
	}
	return factory.NewList(id, elements, nil)
}

func quote(s string) string { return strconv.Quote(s) }

func list(words []string) string {
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}
