package masthead_test

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"masthead/internal/cli"
)

// TestMain lets the scripts run this test's own binary as masthead.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"masthead": func() { os.Exit(cli.Main(os.Args, os.Stdin, os.Stdout, os.Stderr)) },
	})
}

// TestScripts runs testdata/script: the program's behaviour, as a person at a
// terminal meets it. UPDATE_SCRIPTS=1 rewrites what the scripts compare with.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", Cmds: scriptCommands(t),
		Condition:       func(name string) (bool, error) { return name == "postgres" && hasPostgres(), nil },
		UpdateScripts:   os.Getenv("UPDATE_SCRIPTS") != "",
		ContinueOnError: true,
	})
}
