package report

import (
	"fmt"
	"io"
	"time"
)

// ImportList lists imports.
type ImportList struct {
	Imports []Imported `json:"imports"`
}

// Imported is one import with its ledger.
type Imported struct {
	ID     int64     `json:"id"`
	At     time.Time `json:"at"`
	By     Text      `json:"by"`
	Site   string    `json:"site"`
	Status string    `json:"status"`
	Reason Text      `json:"reason"`
	Demo   bool      `json:"demo"`
	Ledger Ledger    `json:"ledger"`
}

// Undo is what taking back an import comes to, or came to.
type Undo struct {
	ID      int64  `json:"id"`
	Applied bool   `json:"applied"`
	Undone  Undone `json:"undone"`
}

// Undone counts what changes.
type Undone struct {
	Hosts        int `json:"hosts"`
	HostsGone    int `json:"hosts_gone"`
	ServicesGone int `json:"services_gone"`
	FindingsGone int `json:"findings_gone"`
	Kept         int `json:"kept"`
	Changed      int `json:"changed"`
	Reopened     int `json:"reopened"`
	Closed       int `json:"closed"`
}

// Remerge is the difference that today's rules make, or made, to what is stored.
type Remerge struct {
	Applied  bool     `json:"applied"`
	Hosts    int      `json:"hosts"`
	Findings int      `json:"findings"`
	Joined   int      `json:"joined"`
	Parted   int      `json:"parted"`
	Renamed  int      `json:"renamed"`
	Rated    int      `json:"rated"`
	Changes  []Change `json:"changes"`
}

// Change is one finding before and after.
type Change struct {
	Finding int64   `json:"finding"`
	Host    Text    `json:"host"`
	Port    uint16  `json:"port"`
	Was     Text    `json:"was"`
	Is      Text    `json:"is"`
	Before  Verdict `json:"before"`
	After   Verdict `json:"after"`
}

// Verdict is what the rules decide of a finding.
type Verdict struct {
	Severity   string `json:"severity"`
	Confidence int    `json:"confidence"`
	Status     string `json:"status"`
	State      string `json:"state"`
	Decision   Text   `json:"decision"`
}

// ImportTable lists imports, in the order given.
func ImportTable(w io.Writer, doc ImportList, t Terminal) error {
	if len(doc.Imports) == 0 {
		_, err := fmt.Fprintln(w, "No imports yet. Begin with: patchscout import FILE")
		return err
	}
	g := &grid{columns: []column{
		{Title: "ID", Right: true}, {Title: "AT"}, {Title: "TOOL"}, {Title: "FILE", Flex: 12}, {Title: "SITE", Optional: 2}, {Title: "RECORDS", Right: true},
		{Title: "NEW", Right: true}, {Title: "MERGED", Right: true}, {Title: "DROPPED", Right: true, Optional: 1}, {Title: "STATUS", Flex: 9},
	}}
	for _, i := range doc.Imports {
		dropped := 0
		for _, d := range i.Ledger.Dropped {
			dropped += d.Count
		}
		status := i.Status
		switch {
		case i.Reason != "":
			status = string(i.Reason)
		case i.Ledger.Warning != "":
			status = string(i.Ledger.Warning)
		}
		g.add(plainCells(fmt.Sprint(i.ID), i.At.Local().Format("2006-01-02 15:04"), i.Ledger.Tool, i.Ledger.File, i.Site, Thousands(i.Ledger.Records),
			Thousands(i.Ledger.Findings.New), Thousands(i.Ledger.Findings.Merged), Thousands(dropped), status)...)
	}
	return g.draw(w, t)
}

// UndoText says what taking back an import comes to.
func UndoText(w io.Writer, u Undo, t Terminal) error {
	p := &printer{w: w, view: View{Terminal: t}}
	if u.Applied {
		p.line("%s", p.view.paint(toneTitle, fmt.Sprintf("Import %d was taken back", u.ID)))
	} else {
		p.line("%s", p.view.paint(toneTitle, fmt.Sprintf("Taking back import %d comes to this; nothing is changed yet", u.ID)))
	}
	for _, row := range []struct {
		n    int
		what string
	}{
		{u.Undone.Hosts, "hosts of which it spoke"}, {u.Undone.HostsGone, "hosts that nothing else knows, removed"},
		{u.Undone.ServicesGone, "services that nothing else knows, removed"}, {u.Undone.FindingsGone, "findings that nothing else saw, removed"},
		{u.Undone.Kept, "findings that nothing else saw and somebody has triaged, closed and kept"},
		{u.Undone.Changed, "findings that lose evidence"}, {u.Undone.Reopened, "findings open again, since only it had closed them"},
		{u.Undone.Closed, "findings closed, since only it had held them open"},
	} {
		p.line("  %7s  %s", Thousands(row.n), row.what)
	}
	if !u.Applied {
		p.line("To do it: patchscout imports undo %d --yes", u.ID)
	}
	return p.err
}

// RemergeText says what today's rules change.
func RemergeText(w io.Writer, r Remerge, t Terminal) error {
	p := &printer{w: w, view: View{Terminal: t}}
	title := "Under today's rules this would change; nothing is changed yet"
	if r.Applied {
		title = "What is stored follows today's rules"
	}
	p.line("%s", p.view.paint(toneTitle, title))
	for _, row := range []struct {
		n    int
		what string
	}{
		{r.Findings, "findings looked at"}, {r.Joined, "joined into another that is the same weakness"}, {r.Renamed, "are known as another weakness"},
		{r.Parted, "more, since evidence speaks of several weaknesses"}, {r.Rated, "with another severity, confidence, status, decision or state"},
	} {
		p.line("  %7s  %s", Thousands(row.n), row.what)
	}
	if len(r.Changes) > 0 {
		p.line("")
		g := &grid{columns: []column{{Title: "FINDING", Right: true}, {Title: "HOST"}, {Title: "WAS", Flex: 12}, {Title: "IS", Flex: 12}, {Title: "BEFORE", Flex: 10}, {Title: "AFTER", Flex: 10}}}
		for _, c := range r.Changes {
			g.add(plainCells(fmt.Sprint(c.Finding), fmt.Sprintf("%s:%d", c.Host, c.Port), string(c.Was), string(c.Is), c.Before.words(), c.After.words())...)
		}
		if p.err == nil {
			p.err = g.draw(w, t)
		}
	}
	if !r.Applied && r.Joined+r.Renamed+r.Parted+r.Rated > 0 {
		p.line("To do it: patchscout findings remerge --apply")
	}
	return p.err
}

func (v Verdict) words() string {
	return fmt.Sprintf("%s %d%% %s %s %s", v.Severity, v.Confidence, v.Status, v.State, orMissing(string(v.Decision)))
}
