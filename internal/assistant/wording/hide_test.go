package wording

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/patchscout/patchscout/internal/assistant/answer"
	"github.com/patchscout/patchscout/internal/assistant/llm/llmtest"
	"github.com/patchscout/patchscout/internal/report"
)

// private are words of an estate that no one outside may read.
var private = []string{
	"10.20.30.40", "192.168.7.0/24", "fd00:abcd::17", "00:1a:2b:3c:4d:5e", "001a.2b3c.4d5e", "filesrv01", "FILESRV01", "db7.corp.example", "Head Office", "j.doe", "ACME\\jdoe",
	"jdoe@corp.example", "/srv/payroll/2026", `C:\Users\jdoe`, `\\filesrv02\payroll`, "https://intranet.corp.example/x?y=1", "münchen-dc", "fe80::1%eth0", "filesrv01_backup", "4410771",
}

func estate() (*answer.Draft, Writer) {
	d := &answer.Draft{}
	f := d.Cite(report.Source{Kind: "finding", ID: "9", Title: "SMB signing on filesrv09 off", Text: "Computer name: SECRETBOX, user jdoe2"})
	h := d.Cite(report.Source{Kind: "host", ID: "777", Title: "printer-12", Text: "seen as hiddenname"})
	c := d.Cite(report.Source{Kind: "cve", ID: "CVE-2017-0144", Title: "Windows SMB", Text: "The SMBv1 server allows remote code execution."})
	d.Say([]int{f, h, c}, "Yes: %s and printer-12 are affected by CVE-2017-0144.", strings.Join(private, ", "))
	return d, Writer{Hide: true, Names: []Name{{"HOST", "filesrv01"}, {"HOST", "münchen-dc"}, {"SITE", "Head Office"}, {"USER", "j.doe"}, {"HOST", "4410771"}, {"", "7"}, {"", ""}}}
}

func TestNoNameOfTheEstateLeaves(t *testing.T) {
	d, w := estate()
	var sent llmtest.Request
	s := llmtest.Saying(t, func(r llmtest.Request) string { sent = r; return llmtest.Honest(r) })
	w.Model = model(t, s)
	question := "What about " + strings.Join(private, " ") + "?"
	text, did, err := w.Word(t.Context(), question, d, func(string) error { return nil })
	if err != nil || !did.Used && did.Error == "" {
		t.Fatal(text, did, err)
	}
	var whole any
	if err := json.Unmarshal([]byte(sent.Raw), &whole); err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, m := range sent.Body.Messages {
		all.WriteString(m.Content)
	}
	data, err := json.Marshal(sent.Data())
	if err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{sent.Raw, all.String(), strings.ReplaceAll(string(data), `\\`, `\`)} {
		low := strings.ToLower(out)
		for _, p := range append(private, "SECRETBOX", "jdoe", "hiddenname", "printer", "filesrv", "payroll", "corp.example", "777", "münchen", "head office", "acme") {
			if strings.Contains(low, strings.ToLower(p)) {
				t.Errorf("%s leaves: %s", p, out)
			}
		}
	}
	if !strings.Contains(all.String(), "CVE-2017-0144") || !strings.Contains(all.String(), "HOST_1") {
		t.Errorf("%s", all.String())
	}
}

func TestPlaceholdersAreOneForOneAndComeBack(t *testing.T) {
	d, w := estate()
	h := w.hider(d)
	in := "Filesrv01 and filesrv01, 10.20.30.40 (HOST_1 says HOST_99), db7.corp.example:443; Head Office's 7 hosts run log4j 2.14.1 since 2021-12-10."
	hidden := h.hide(in)
	if strings.Count(hidden, "HOST_1") != 2 || strings.Contains(hidden, "99") || !strings.Contains(hidden, "7 hosts run log4j 2.14.1 since 2021-12-10") {
		t.Errorf("%s", hidden)
	}
	if back, ok := h.back(hidden); !ok || !strings.EqualFold(back, in) {
		t.Errorf("%s", back)
	}
	if _, ok := h.back("HOST_12345 is affected"); ok {
		t.Error("a placeholder that was never given is put back")
	}
	if back, ok := h.back(`HOST\_1 and host_1`); !ok || strings.Count(strings.ToLower(back), "filesrv01") != 2 {
		t.Errorf("%s", back)
	}
}

func TestAnAnswerOverPlaceholdersReadsAsWithoutThem(t *testing.T) {
	s := llmtest.Saying(t, func(r llmtest.Request) string {
		return "Yes, HOST_1 is affected by CVE-2021-44228 [1][2]. HOST_55 is affected too [1]. Upgrade log4j to 2.17.1 [1]."
	})
	w := Writer{Model: model(t, s), Hide: true}
	got := worded(t, w, affected())
	if got.text != "Yes, 10.0.0.5 is affected by CVE-2021-44228 [1][2]. Upgrade log4j to 2.17.1 [1]." || !got.did.Used || !got.did.Marked {
		t.Errorf("%+v", got)
	}
}

func FuzzHide(f *testing.F) {
	for _, p := range private {
		f.Add(p + " HOST_1 x")
	}
	d, w := estate()
	f.Fuzz(func(t *testing.T, text string) {
		text = tame(text, 500)
		h := w.hider(d)
		back, ok := h.back(h.hide(text))
		if !ok || !strings.EqualFold(back, text) && !strings.Contains(text, `\_`) {
			t.Errorf("%q came back as %q", text, back)
		}
	})
}

func FuzzNext(f *testing.F) {
	f.Add("A sentence. [1] Another, e.g. this one [2].\n- item\n")
	f.Fuzz(func(t *testing.T, text string) {
		c := newChecker(affected())
		for rest := text; ; {
			sentence, _, more, ok := next(rest)
			if !ok {
				break
			}
			if len(more) >= len(rest) {
				t.Fatalf("%q does not get shorter", rest)
			}
			one, _ := tidy(sentence)
			c.judge(one)
			rest = more
		}
	})
}
