package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v3"

	"masthead/internal/app"
	"masthead/internal/archive"
	"masthead/internal/config"
	"masthead/internal/fault"
)

func backupCommand() *cli.Command {
	return &cli.Command{
		Name:      "backup",
		Usage:     "copy database, pictures and files into a new folder, while the newsroom is served",
		ArgsUsage: "FOLDER",
		Description: "On SQLite the folder is a newsroom of its own: put the secret beside it and serve it. On PostgreSQL it\n" +
			"holds an export, which masthead import archive reads. The secret is not copied: keep it elsewhere.",
		Flags: []cli.Flag{dirFlag()},
		Action: withApp(func(ctx context.Context, cmd *cli.Command, a *app.App) error {
			target, err := one(cmd, "folder")
			if err != nil {
				return err
			}
			var files []string
			if path := filepath.Join(a.Config.Dir, config.FileName); exists(path) {
				files = append(files, path)
			}
			if err := archive.Backup(ctx, a.DB, a.Blobs, target, files...); err != nil {
				return err
			}
			fmt.Fprintf(cmd.Root().Writer, "backed up to %s\n", target)
			return nil
		}),
	}
}

func verifyCommand() *cli.Command {
	return &cli.Command{
		Name:  "verify",
		Usage: "look for damage: in the database, in every story, picture and file, in the wall's promises",
		Description: "Without --backup the newsroom itself is looked at, else the backup in that folder. Each problem is named\n" +
			"with what to do about it; the exit status is 1 when there is one.",
		Flags: []cli.Flag{dirFlag(), jsonFlag(), &cli.StringFlag{Name: "backup", Usage: "the `FOLDER` of a backup"}},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if folder := cmd.String("backup"); folder != "" {
				problems, err := archive.VerifyBackup(ctx, folder)
				return reportProblems(cmd, problems, err)
			}
			return withApp(func(ctx context.Context, cmd *cli.Command, a *app.App) error {
				problems, err := archive.Verify(ctx, a.DB, a.Blobs)
				if benefits := a.CheckBenefits(ctx); benefits != nil {
					problems = append(problems, archive.Problem{Where: "wall", What: fault.Message(benefits), Do: fault.Hint(benefits)})
				}
				return reportProblems(cmd, problems, err)
			})(ctx, cmd)
		},
	}
}

func reportProblems(cmd *cli.Command, problems archive.Problems, err error) error {
	if err != nil {
		return err
	}
	if cmd.Bool("json") {
		err = printJSON(cmd.Root().Writer, map[string]any{"problems": append(archive.Problems{}, problems...)})
	} else {
		err = problems.WriteText(cmd.Root().Writer)
	}
	if err != nil || len(problems) == 0 {
		return err
	}
	return errors.New("the newsroom is damaged")
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
