package site

import (
	"masthead/internal/doc"
	"masthead/internal/fault"
	"masthead/internal/language"
)

// Keys of the sentences that handlers show: at the top of the next page, or
// beside the field that caused them.
const (
	NoticeSaved        = "notice.saved"
	NoticeSignedIn     = "notice.signed_in"
	NoticeSignedOut    = "notice.signed_out"
	NoticeRegistered   = "notice.registered"
	NoticeSessionEnded = "notice.session_ended"
	NoticeGiftRevoked  = "notice.gift_revoked"
	NoticeDeleted      = "notice.deleted"

	ProblemEmail         = "problem.email"
	ProblemDisposable    = "problem.disposable"
	ProblemCodeWrong     = "problem.code_wrong"
	ProblemCodeSpent     = "problem.code_spent"
	ProblemLinkSpent     = "problem.link_spent"
	ProblemTooMany       = "problem.too_many"
	ProblemGiftSpent     = "problem.gift_spent"
	ProblemConfirmDelete = "problem.confirm_delete"
)

// RoleWords gives what stands before a name in the byline for its role; an
// author's name stands alone.
func RoleWords(f *language.Furniture, role string) string {
	switch role {
	case "translator":
		return f.T("role.translator")
	case "photographer":
		return f.T("role.photographer")
	case "contributor":
		return f.T("role.contributor")
	}
	return ""
}

// TopicKindWords gives the name of a kind of topic.
func TopicKindWords(f *language.Furniture, kind string) string {
	if key := "topic.kind." + kind; f.Has(key) {
		return f.T(key)
	}
	return ""
}

// ErrorWords gives the headline and the sentence that tell a visitor of a kind
// of fault.
func ErrorWords(f *language.Furniture, kind fault.Kind) (headline, sentence string) {
	key := map[fault.Kind]string{
		fault.NotFound: "not_found", fault.Gone: "gone", fault.Invalid: "invalid", fault.Unauthorized: "unauthorized",
		fault.Forbidden: "forbidden", fault.PaymentRequired: "payment_required", fault.Conflict: "conflict",
		fault.TooLarge: "too_large", fault.TooMany: "too_many", fault.Unavailable: "unavailable",
		fault.HeaderTooLarge: "header_too_large", fault.Full: "full",
	}[kind]
	if key == "" {
		key = "internal"
	}
	return f.T("error." + key + ".title"), f.T("error." + key + ".sentence")
}

// Labels gives the few words that a story's body needs in its language.
func Labels(f *language.Furniture) doc.Labels {
	return doc.Labels{AlsoRead: f.T("doc.also_read"), Footnotes: f.T("doc.footnotes"), Load: f.T("doc.embed", "%s"),
		BackToText: f.T("doc.back"), Picture: f.T("doc.picture"), Download: f.T("doc.download")}
}
