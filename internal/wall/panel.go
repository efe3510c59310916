package wall

// The reasons for a wall: which plain sentence it shows.
const (
	PanelRegister  = "register"  // the story is for registered readers
	PanelMeter     = "meter"     // the free stories of this window are read
	PanelArchive   = "archive"   // the story has gone into the archive
	PanelSubscribe = "subscribe" // a tier is needed
	PanelUpgrade   = "upgrade"   // the reader is signed in and has another tier
	PanelSpent     = "spent"     // the reader is signed in and has read what his meter opens
	PanelClosed    = "closed"    // a password keeps it; only staff may read
)

// Panel is what stands where the free part of a story ends.
type Panel struct {
	Reason   string // one of the Panel constants
	Limit    int    // PanelMeter: free stories in a window …
	Days     int    // … of this many days
	Tier     string // PanelSubscribe, PanelUpgrade: the tier's name
	TierURL  string // where it can be had; may be empty
	Benefits []Offer
	Words    map[string]string // the newsroom's own, as [Words.In] gives them
	Register string            // address the form posts to: "/register"
	SignIn   string            // "/signin?next=…"
	Next     string            // path with the paragraph's fragment: "/2026/11/a-slug/#p7"
	Email    string            // as typed, when the form comes back
	Problem  string            // why it came back, one sentence
}

// Offer is one thing that registering brings.
type Offer struct {
	Name   string
	Detail string // may be empty
}

// NeedsTier reports whether registering alone does not open the story.
func (p Panel) NeedsTier() bool { return p.Reason == PanelSubscribe || p.Reason == PanelUpgrade }

// NoDoor reports whether nothing that the reader could do here opens the story.
func (p Panel) NoDoor() bool { return p.Reason == PanelClosed || p.Reason == PanelSpent }

// Own gives what the newsroom says in the place of the catalogue; "" for nothing.
func (p Panel) Own(key string) string { return p.Words[key] }
