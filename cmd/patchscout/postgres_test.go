//go:build unix

package main

import (
	"strings"
	"testing"

	"github.com/patchscout/patchscout/internal/store/storetest"
)

// The main job on PostgreSQL: the same commands, the same answers.
func TestMainJobOnPostgreSQL(t *testing.T) {
	home, url := t.TempDir(), storetest.Postgres(t)
	on := func(args ...string) []string { return append([]string{"--database-url", url}, args...) }
	feeds, err := absolute("testdata", "feeds")
	if err != nil {
		t.Fatal(err)
	}
	ftp := speak(t, "220 (vsFTPd 2.3.4)\r\n")
	for _, step := range []struct {
		args []string
		code int
		want string
	}{
		{on("init"), 0, "ready: PostgreSQL"},
		{on("feeds", "sync", "--from", feeds), 0, "nvd"},
		{on("scan", "127.0.0.1", "--ports", ftp, "--fail-on", "critical"), 3, "CVE-2011-2523"},
		{on("findings"), 0, "confirmed finding"},
		{on("match", "cpe:/a:vsftpd:vsftpd:2.3.4"), 0, `"id":"CVE-2011-2523"`},
		{on("cve", "search", "openssh"), 0, "CVE-2018-15473"},
		{on("scans", "show", "1"), 0, "vsftpd 2.3.4"},
		{on("seed"), 0, "demo estate"},
		{on("seed", "--remove"), 0, "removed 4 demo hosts"},
	} {
		p, code := run(t, home, step.args...)
		if code != step.code || !strings.Contains(p.stdout.String(), step.want) {
			t.Errorf("%v: exit code %d, want %d and %q\n%s%s", step.args[2:], code, step.code, step.want, p.stdout.String(), p.stderr.String())
		}
		if strings.Contains(p.stderr.String(), url) {
			t.Errorf("%v shows the database URL", step.args[2:])
		}
	}
}
