package staff

import (
	"strings"
	"testing"

	"masthead/internal/fault"
)

// TestEveryRoleAndAct holds every role against every act, on anything and on
// what is one's own: a change of the table must be made here too.
func TestEveryRoleAndAct(t *testing.T) {
	// In order of role, contributor to owner: "+" may, "o" may on one's own, "-" may not.
	want := map[Act]string{
		ReadDesk: "+++++", WriteStory: "oo+++", CommentStory: "o++++", StartStory: "+++++", AssignStory: "--+++", SubmitStory: "oo+++",
		ApproveStory: "--+++", PublishStory: "---++", CorrectStory: "--o++", Withdraw: "---++", Overrule: "---++", ArrangeFront: "--+++",
		KeepTaxonomy: "--+++", AddMedia: "+++++", KeepMedia: "--+++", ReadReaders: "---++", KeepReaders: "---++", KeepWall: "---++",
		LiftWall: "---++", KeepSite: "----+", KeepStaff: "----+", KeepTokens: "----+", ReadAudit: "---++", KeepSelf: "+++++",
		SignIn: "+++++", FailSignIn: "+++++", AskLink: "+++++",
	}
	for _, a := range Acts() {
		var got strings.Builder
		for _, role := range Roles() {
			p := Person{Role: role}
			switch {
			case p.May(a, Object{}):
				got.WriteString("+")
			case p.May(a, Object{Own: true}):
				got.WriteString("o")
			default:
				got.WriteString("-")
			}
		}
		if got.String() != want[a] {
			t.Errorf("%s: %s, want %s", a, got.String(), want[a])
		}
		delete(want, a)
	}
	for a := range want {
		t.Errorf("%s is no act", a)
	}
}

func TestRoleInASection(t *testing.T) {
	p := Person{Role: Reporter, Sections: map[string]Role{"region": Publisher, "culture": Contributor}}
	for _, c := range []struct {
		act  Act
		on   Object
		want bool
	}{
		{PublishStory, Object{Sections: []string{"region"}}, true},
		{PublishStory, Object{Sections: []string{"city", "region"}}, true}, // a part of it
		{PublishStory, Object{Sections: []string{"culture"}}, false},
		{PublishStory, Object{}, false},
		{KeepSite, Object{Sections: []string{"region"}}, false},
		{CommentStory, Object{Sections: []string{"culture"}}, true}, // a section takes nothing away
		{WriteStory, Object{Sections: []string{"culture"}}, false},
		{WriteStory, Object{Sections: []string{"culture"}, Own: true}, true},
		{"no.such", Object{Own: true}, false},
	} {
		if got := p.May(c.act, c.on); got != c.want {
			t.Errorf("May(%s, %v) = %v", c.act, c.on, got)
		}
		if err := p.Need(c.act, c.on); (err == nil) != c.want || err != nil && !fault.Is(err, fault.Forbidden) {
			t.Errorf("Need(%s, %v) = %v", c.act, c.on, err)
		}
	}
	for act, want := range map[Act]bool{PublishStory: true, KeepSite: false, WriteStory: true} {
		if got := p.Ever(act); got != want {
			t.Errorf("Ever(%s) = %v", act, got)
		}
	}
	if (Person{}).Ever(ReadDesk) {
		t.Error("nobody may read the desk")
	}
}
