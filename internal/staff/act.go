package staff

import (
	"slices"

	"masthead/internal/fault"
)

// Act is one thing that can be done at the desk. What each takes stands in one
// table, [least]; a route of the desk and an operation of the API name the act
// they are.
type Act string

// The acts.
const (
	ReadDesk     Act = "desk.read"      // see stories, plans, comments, media
	WriteStory   Act = "story.write"    // change the words of a story, and what belongs to it
	CommentStory Act = "story.comment"  // comment on a story, and resolve comments
	StartStory   Act = "story.start"    // pitch or begin a story
	AssignStory  Act = "story.assign"   // give stories to people, set deadlines
	SubmitStory  Act = "story.submit"   // send a story for review
	ApproveStory Act = "story.approve"  // approve a story, or send it back
	PublishStory Act = "story.publish"  // publish, schedule, set an embargo
	CorrectStory Act = "story.correct"  // publish a correction
	Withdraw     Act = "story.withdraw" // take a published story back
	Overrule     Act = "story.overrule" // publish in spite of a warning, with a reason
	ArrangeFront Act = "front.arrange"  // arrange the front page and those of sections
	KeepTaxonomy Act = "taxonomy.keep"  // sections, topics, authors
	AddMedia     Act = "media.add"      // upload pictures and files, describe them
	KeepMedia    Act = "media.keep"     // change rights, take media away
	ReadReaders  Act = "readers.read"   // see readers and their accounts
	KeepReaders  Act = "readers.keep"   // tiers, sign-in links, import, export, deletion
	KeepWall     Act = "wall.keep"      // rules, benefits, texts and trials of the wall
	LiftWall     Act = "wall.lift"      // open a section in an emergency
	KeepSite     Act = "site.keep"      // theme, menus, languages, redirects, settings
	KeepStaff    Act = "staff.keep"     // who works here, and as what
	KeepTokens   Act = "tokens.keep"    // tokens and webhooks of the API
	ReadAudit    Act = "audit.read"     // the log of every act
	KeepSelf     Act = "self.keep"      // one's own name, keys and sessions
	SignIn       Act = "self.signin"    // come in, by a link or a passkey, and show a second factor
	FailSignIn   Act = "self.refused"   // a second factor that was wrong: what the log says of it
	AskLink      Act = "self.link"      // have a link for signing in sent
)

// need is the least role that an act takes: on anything, and on a story of
// one's own (that one began, or that is assigned to one). An empty own is as any.
type need struct{ any, own Role }

// least is the table of who may do what. docs/desk.md has it in words, and a
// test holds every role against every act.
var least = map[Act]need{
	ReadDesk:     {any: Contributor},
	WriteStory:   {any: Editor, own: Contributor},
	CommentStory: {any: Reporter, own: Contributor},
	StartStory:   {any: Contributor},
	AssignStory:  {any: Editor},
	SubmitStory:  {any: Editor, own: Contributor},
	ApproveStory: {any: Editor},
	PublishStory: {any: Publisher},
	CorrectStory: {any: Publisher, own: Editor},
	Withdraw:     {any: Publisher},
	Overrule:     {any: Publisher},
	ArrangeFront: {any: Editor},
	KeepTaxonomy: {any: Editor},
	AddMedia:     {any: Contributor},
	KeepMedia:    {any: Editor},
	ReadReaders:  {any: Publisher},
	KeepReaders:  {any: Publisher},
	KeepWall:     {any: Publisher},
	LiftWall:     {any: Publisher},
	KeepSite:     {any: Owner},
	KeepStaff:    {any: Owner},
	KeepTokens:   {any: Owner},
	ReadAudit:    {any: Publisher},
	KeepSelf:     {any: Contributor},
	SignIn:       {any: Contributor},
	FailSignIn:   {any: Contributor},
	AskLink:      {any: Contributor},
}

// Sensitive reports whether an act changes the newsroom itself, so that a second
// factor must have been shown lately.
func (a Act) Sensitive() bool {
	return a == KeepStaff || a == KeepTokens || a == KeepSite || a == KeepWall
}

// Acts gives every act, in order of name.
func Acts() []Act {
	acts := make([]Act, 0, len(least))
	for a := range least {
		acts = append(acts, a)
	}
	slices.Sort(acts)
	return acts
}

// Object is what an act is done to. The zero Object is nothing in particular.
type Object struct {
	Sections []string // IDs: the story's section and those that it is part of
	Own      bool     // the person began the story, or it is assigned to him
}

// May reports whether the person may do an act to an object: by his role, or
// by what he is in one of the object's sections.
func (p Person) May(a Act, on Object) bool {
	n, known := least[a]
	if !known || p.Disabled() {
		return false
	}
	role := p.Role
	for _, id := range on.Sections {
		if r := p.Sections[id]; r.May(role) {
			role = r
		}
	}
	return role.May(n.any) || on.Own && n.own != "" && role.May(n.own)
}

// Ever reports whether there can be an object to which the person may do it:
// whether a door that leads to it is shown at all.
func (p Person) Ever(a Act) bool {
	if p.May(a, Object{Own: true}) {
		return true
	}
	for id := range p.Sections {
		if p.May(a, Object{Sections: []string{id}, Own: true}) {
			return true
		}
	}
	return false
}

// Need gives nil when the person may do the act, and else Forbidden.
func (p Person) Need(a Act, on Object) error {
	if p.May(a, on) {
		return nil
	}
	return fault.New(fault.Forbidden, "your role does not allow this", "role", p.Role, "act", a)
}
