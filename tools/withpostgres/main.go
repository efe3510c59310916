// Command withpostgres runs a command with a PostgreSQL server of its own:
//
//	go run ./tools/withpostgres go test ./...
//
// One server serves every package's tests, each test in a schema of its own;
// without it each package that needs one would start its own. The command finds
// it in MASTHEAD_TEST_POSTGRES, and the server ends with the command. Where
// there is no PostgreSQL to start, the command runs all the same and its tests
// tell; under CI=true that is a failure.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"

	"masthead/internal/db/dbtest"
	"masthead/internal/needtest"
)

func main() {
	// The server is told to end when the thread that started it does.
	runtime.LockOSThread()
	status, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintf(os.Stderr, "withpostgres: %v\n", err)
		status = max(status, 1)
	}
	os.Exit(status)
}

// run gives the command's exit status.
func run(args []string) (status int, err error) {
	if len(args) == 0 {
		return 2, errors.New("name a command to run")
	}
	// The terminal sends its interrupt to the command too; it ends first, then the server.
	signal.Notify(make(chan os.Signal, 1), os.Interrupt, syscall.SIGTERM)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if os.Getenv("MASTHEAD_TEST_POSTGRES") == "" {
		server, err := dbtest.StartServer()
		switch {
		case err == nil:
			defer func() { server.Stop() }()
			cmd.Env = append(os.Environ(), "MASTHEAD_TEST_POSTGRES="+server.URL)
		case needtest.CI():
			return 1, fmt.Errorf("start PostgreSQL: %w", err)
		default:
			fmt.Fprintf(os.Stderr, "withpostgres: there is no PostgreSQL (%v): its tests are skipped\n", err)
		}
	}
	err = cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return max(exit.ExitCode(), 1), nil
	}
	return 0, err
}
