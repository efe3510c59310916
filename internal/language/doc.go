// Package language knows the languages a newsroom writes in and the furniture
// of its pages: the words round the stories, dates, numbers and plurals.
//
// Content may be in any BCP 47 language; [Normalise], [Dir] and [OwnName] serve
// it. Furniture exists in the languages of [Furnished]; [Get] gives the best one.
//
//	f := language.Get("ar")
//	f.T("account.sign_in")       // "تسجيل الدخول"
//	f.N("story.minutes", 5)      // "5 دقائق للقراءة"
//	f.Date(t).Text               // "22 نوفمبر 2026"
//
// The furniture's words are in messages/*.toml, one file a language, and those of
// the desk in messages/desk, one file a room and language; every language has
// the same keys. Plurals follow CLDR (Unicode TR 35, Language Plural Rules).
package language
