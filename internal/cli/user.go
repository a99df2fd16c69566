package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/patchscout/patchscout/internal/app"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
)

func (e *environment) userCommand() *cobra.Command {
	return group("user", "Who may log in to the server, and what they may see and do", e.userAddCommand(), e.userListCommand(), e.userShowCommand(),
		e.userSetCommand(), e.userPasswordCommand(), e.userRemoveCommand())
}

// passwordFlag is where a password comes from: never from the command line, which others can read.
type passwordFlag struct{ stdin bool }

func (p *passwordFlag) flag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&p.stdin, "password-stdin", false, "read the password from standard input instead of making one")
}

// maxLine bounds what is read as a password; the product says what is too long.
const maxLine = 64 << 10

// read returns "" where a password is to be made.
func (p *passwordFlag) read(e *environment) (string, error) {
	if !p.stdin {
		return "", nil
	}
	if file, ok := e.stdin.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		fmt.Fprint(e.stderr, "Password: ")
		text, err := term.ReadPassword(int(file.Fd()))
		fmt.Fprintln(e.stderr)
		return string(text), err
	}
	line, err := bufio.NewReader(io.LimitReader(e.stdin, maxLine)).ReadString('\n')
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", errors.Join(fault.Invalid("--password-stdin: nothing came"), ignoreEOF(err))
	}
	return line, ignoreEOF(err)
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func (e *environment) userAddCommand() *cobra.Command {
	var (
		req      app.UserRequest
		password passwordFlag
		out      output
	)
	cmd := e.command("add NAME", "Add a user; a password is made and shown once", cobra.ExactArgs(1), func(cmd *cobra.Command, args []string) error {
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		req.Name = args[0]
		if req.Password, err = password.read(e); err != nil {
			return err
		}
		made, err := a.AddUser(cmd.Context(), req)
		if err != nil {
			return err
		}
		return out.write(e, func(w io.Writer) error {
			if out.format == "json" {
				return report.JSON(w, made)
			}
			_, err := fmt.Fprintf(w, "user %s added: %s\n", report.Plain(made.Name), made.Role)
			return errors.Join(err, showPassword(w, string(made.Password)))
		})
	})
	cmd.Flags().StringVar(&req.Role, "role", "viewer", "viewer, analyst or admin")
	cmd.Flags().StringSliceVar(&req.Sites, "site", nil, "sees only what belongs to these sites (default all)")
	cmd.Flags().BoolVar(&req.Keep, "keep-password", false, "the password need not be changed at the first login")
	password.flag(cmd)
	out.flags(cmd, "table", "json")
	return cmd
}

func showPassword(w io.Writer, password string) error {
	if password == "" {
		return nil
	}
	_, err := fmt.Fprintf(w, "password, shown this once: %s\n", password)
	return err
}

func (e *environment) userListCommand() *cobra.Command {
	var out output
	cmd := e.command("list", "All users", cobra.NoArgs, func(cmd *cobra.Command, _ []string) error {
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		users, err := allUsers(cmd, a)
		if err != nil {
			return err
		}
		return out.write(e, func(w io.Writer) error {
			if out.format == "json" {
				return report.JSON(w, report.UserList{Users: users})
			}
			return report.UserTable(w, users, e.terminal(out.target(e)))
		})
	})
	out.flags(cmd, "table", "json")
	return cmd
}

func allUsers(cmd *cobra.Command, a *app.App) ([]report.User, error) {
	users := []report.User{}
	for page := (app.PageRequest{Limit: 1000}); ; {
		list, err := a.Users(cmd.Context(), page)
		users = append(users, list.Users...)
		if err != nil || list.Next == nil {
			return users, err
		}
		page.Cursor = *list.Next
	}
}

func (e *environment) userShowCommand() *cobra.Command {
	var out output
	cmd := e.command("show NAME", "One user", cobra.ExactArgs(1), func(cmd *cobra.Command, args []string) error {
		_, u, err := e.user(cmd, args[0])
		if err != nil {
			return err
		}
		return e.shownUser(out, u)
	})
	out.flags(cmd, "table", "json")
	return cmd
}

// user finds a user by name or number.
func (e *environment) user(cmd *cobra.Command, text string) (*app.App, report.User, error) {
	a, err := e.open(cmd)
	if err != nil {
		return nil, report.User{}, err
	}
	u, err := a.UserNamed(cmd.Context(), text)
	if id, notNumber := strconv.ParseInt(text, 10, 64); fault.KindOf(err) == fault.KindNotFound && notNumber == nil {
		u, err = a.User(cmd.Context(), id)
	}
	return a, u, err
}

func (e *environment) shownUser(out output, u report.User) error {
	return out.write(e, func(w io.Writer) error {
		if out.format == "json" {
			return report.JSON(w, u)
		}
		return report.UserTable(w, []report.User{u}, e.terminal(out.target(e)))
	})
}

func (e *environment) userSetCommand() *cobra.Command {
	var (
		role             string
		sites            []string
		all, off, enable bool
		out              output
	)
	cmd := e.command("set NAME", "Change what a user may and sees; ends the user's sessions", cobra.ExactArgs(1), func(cmd *cobra.Command, args []string) error {
		var req app.UserChangeRequest
		if cmd.Flags().Changed("role") {
			req.Role = &role
		}
		if cmd.Flags().Changed("site") {
			req.Sites = &sites
		} else if all {
			req.Sites = new([]string)
		}
		if off || enable {
			req.Disabled = &off
		}
		if req == (app.UserChangeRequest{}) {
			return fault.Invalid("say what to change: --role, --site, --all-sites, --disable or --enable")
		}
		a, u, err := e.user(cmd, args[0])
		if err != nil {
			return err
		}
		if u, err = a.ChangeUser(cmd.Context(), u.ID, req); err != nil {
			return err
		}
		return e.shownUser(out, u)
	})
	cmd.Flags().StringVar(&role, "role", "", "viewer, analyst or admin")
	cmd.Flags().StringSliceVar(&sites, "site", nil, "sees only what belongs to these sites")
	cmd.Flags().BoolVar(&all, "all-sites", false, "sees everything")
	cmd.Flags().BoolVar(&off, "disable", false, "may not log in any more; revokes the user's tokens")
	cmd.Flags().BoolVar(&enable, "enable", false, "may log in again")
	cmd.MarkFlagsMutuallyExclusive("site", "all-sites")
	cmd.MarkFlagsMutuallyExclusive("disable", "enable")
	out.flags(cmd, "table", "json")
	return cmd
}

func (e *environment) userPasswordCommand() *cobra.Command {
	var password passwordFlag
	cmd := e.command("password NAME", "Give a user another password, to be changed at the next login", cobra.ExactArgs(1), func(cmd *cobra.Command, args []string) error {
		a, u, err := e.user(cmd, args[0])
		if err != nil {
			return err
		}
		chosen, err := password.read(e)
		if err != nil {
			return err
		}
		made, err := a.ResetPassword(cmd.Context(), u.ID, chosen)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(e.stdout, "user %s has another password; all sessions have ended\n", report.Plain(u.Name))
		return errors.Join(err, showPassword(e.stdout, string(made.Password)))
	})
	password.flag(cmd)
	return cmd
}

func (e *environment) userRemoveCommand() *cobra.Command {
	return e.command("remove NAME", "Remove a user with all sessions and tokens", cobra.ExactArgs(1), func(cmd *cobra.Command, args []string) error {
		a, u, err := e.user(cmd, args[0])
		if err != nil {
			return err
		}
		if err := a.RemoveUser(cmd.Context(), u.ID); err != nil {
			return err
		}
		_, err = fmt.Fprintf(e.stdout, "user %s removed\n", report.Plain(u.Name))
		return err
	})
}

func (e *environment) tokenCommand() *cobra.Command {
	return group("token", "What programs and workers log in with", e.tokenCreateCommand(), e.tokenListCommand(), e.tokenRevokeCommand())
}

func (e *environment) tokenCreateCommand() *cobra.Command {
	var (
		req     app.TokenRequest
		worker  bool
		sites   []string
		expires string
		out     output
	)
	cmd := e.command("create [NAME]", "Make a token, which is shown once", cobra.MaximumNArgs(1), func(cmd *cobra.Command, args []string) error {
		if len(args) == 1 {
			req.Name = args[0]
		}
		if err := tokenRequest(&req, worker, sites, expires); err != nil {
			return err
		}
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		made, err := a.CreateToken(cmd.Context(), req)
		if err != nil {
			return err
		}
		return out.write(e, func(w io.Writer) error {
			if out.format == "json" {
				return report.JSON(w, made)
			}
			fmt.Fprintf(e.stderr, "token %d is shown this once:\n", made.ID)
			_, err := fmt.Fprintln(w, made.Secret)
			return err
		})
	})
	cmd.Long = "Make a token, which is shown once: alone on standard output, so that a file can take it.\n\n" +
		"  patchscout token create deploy --user anna --role viewer --scope findings:read\n" +
		"  patchscout token create --worker --site branch-office -o worker.token"
	flags := cmd.Flags()
	flags.StringVar(&req.Name, "name", "", "what it is for")
	flags.StringVar(&req.User, "user", "", "whose it is (default admin)")
	flags.StringVar(&req.Role, "role", "", "viewer, analyst or admin; at most the user's, which is the default")
	flags.StringSliceVar(&sites, "site", nil, "sees only what belongs to these sites; of a worker: whose tasks it leases")
	flags.StringSliceVar(&req.Scopes, "scope", nil, "may only do this: findings:read, scans:write, …")
	flags.StringVar(&expires, "expires", "", "a day as 2027-06-30, a time as 90d or 12h, or never (default 90d; of a worker never)")
	flags.BoolVar(&worker, "worker", false, "for a worker in another network: leases the tasks of its site and does nothing else")
	out.flags(cmd, "table", "json")
	return cmd
}

func tokenRequest(req *app.TokenRequest, worker bool, sites []string, expires string) (err error) {
	req.Sites = sites
	if worker {
		if len(sites) != 1 {
			return fault.Invalid("--worker needs --site with the one site whose tasks it leases")
		}
		if req.Role != "" || req.User != "" || len(req.Scopes) > 0 {
			return fault.Invalid("--worker has no --user, --role or --scope: it does one thing")
		}
		req.Role, req.Site, req.Sites = "worker", sites[0], nil
	}
	if req.Name == "" {
		req.Name = "made on the command line"
		if worker {
			req.Name = req.Site
		}
	}
	req.Expires, req.Never, err = parseExpiry(expires)
	return err
}

func parseExpiry(text string) (at time.Time, never bool, err error) {
	switch {
	case text == "":
		return at, false, nil
	case text == "never":
		return at, true, nil
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day.AddDate(0, 0, 1), false, nil // to its end
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n <= 36500 {
			return time.Now().AddDate(0, 0, n), false, nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return time.Now().Add(d), false, nil
	}
	return at, false, fault.Invalid("--expires %.40q: want a day as 2027-06-30, a time as 90d or 12h, or never", text)
}

func (e *environment) tokenListCommand() *cobra.Command {
	var out output
	cmd := e.command("list", "All tokens; what they are is not kept", cobra.NoArgs, func(cmd *cobra.Command, _ []string) error {
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		tokens := []report.Token{}
		for page := (app.PageRequest{Limit: 1000}); ; {
			list, err := a.Tokens(cmd.Context(), page)
			if err != nil {
				return err
			}
			if tokens = append(tokens, list.Tokens...); list.Next == nil {
				break
			}
			page.Cursor = *list.Next
		}
		return out.write(e, func(w io.Writer) error {
			if out.format == "json" {
				return report.JSON(w, report.TokenList{Tokens: tokens})
			}
			return report.TokenTable(w, tokens, e.terminal(out.target(e)))
		})
	})
	out.flags(cmd, "table", "json")
	return cmd
}

func (e *environment) tokenRevokeCommand() *cobra.Command {
	return e.command("revoke ID", "Make a token useless, at once and for good", cobra.ExactArgs(1), func(cmd *cobra.Command, args []string) error {
		id, err := parseID("token", args[0])
		if err != nil {
			return err
		}
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		if err := a.RevokeToken(cmd.Context(), id); err != nil {
			return err
		}
		_, err = fmt.Fprintf(e.stdout, "token %d revoked\n", id)
		return err
	})
}

func (e *environment) auditCommand() *cobra.Command {
	var (
		req app.AuditRequest
		out output
	)
	cmd := e.command("audit", "Who did what, from where, newest first", cobra.NoArgs, func(cmd *cobra.Command, _ []string) error {
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		list, err := a.Audit(cmd.Context(), req)
		if err != nil {
			return err
		}
		return out.write(e, func(w io.Writer) error {
			if out.format == "json" {
				return report.JSON(w, list)
			}
			return report.AuditTable(w, list.Entries, e.terminal(out.target(e)))
		})
	})
	flags := cmd.Flags()
	flags.StringVar(&req.Who, "who", "", "only what this one did: anna, local:root")
	flags.StringVar(&req.Action, "action", "", "only this: scan.start, or a group of them: user.")
	flags.StringVar(&req.Subject, "subject", "", "only what was done to this: scan 7")
	flags.StringVar(&req.Outcome, "outcome", "", "ok, denied or failed")
	flags.StringVar(&req.Since, "since", "", "not before this day or moment")
	flags.StringVar(&req.Until, "until", "", "not after this day or moment")
	flags.IntVar(&req.Limit, "limit", 100, "at most so many, 1,000 at most")
	flags.StringVar(&req.Cursor, "cursor", "", "next of the page before")
	out.flags(cmd, "table", "json")
	return cmd
}
