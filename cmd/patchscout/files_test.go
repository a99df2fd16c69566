package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"unicode/utf16"

	"github.com/rogpeppe/go-internal/testscript"
)

// made KIND ... makes files that a transcript cannot hold:
//
//	made utf16 IN OUT      the text as UTF-16, little end first, with its mark
//	made cut IN OUT TEXT   all before the first TEXT
//	made name IN NAME      a copy with a name in Go's escapes
//	made network OUT       nmap's report on 251 hosts, of which 5 are up and have 21 open ports together, all without names
//	made facts IN OUT      a document of findings without the number of the last scan that said so
func made(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: made KIND FILES...")
	}
	out := args[len(args)-1]
	var text string
	if args[0] != "network" {
		text = ts.ReadFile(args[1])
	}
	switch args[0] {
	case "utf16":
		text = inUTF16(text)
	case "cut":
		out = args[2]
		text, _, _ = strings.Cut(text, args[3])
	case "name":
		out = strings.NewReplacer(`\x1b`, "\x1b", `\n`, "\n").Replace(args[2])
	case "network":
		text = networkReport()
	case "facts":
		text = factsOf(ts, text)
	default:
		ts.Fatalf("made %s: unknown", args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(out), []byte(text), 0o600))
}

func inUTF16(text string) string {
	var out []byte
	for _, unit := range utf16.Encode([]rune("\ufeff" + text)) {
		out = binary.LittleEndian.AppendUint16(out, unit)
	}
	return string(out)
}

func networkReport() string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0"?>
<nmaprun scanner="nmap" args="nmap -v 198.51.100.0/24" start="1763000000" version="7.93" xmloutputversion="1.05">
<scaninfo type="connect" protocol="tcp" numservices="5" services="21-25"/>
`)
	open := map[int]int{3: 1, 50: 5, 100: 5, 150: 5, 250: 5}
	for host := range 251 {
		state := "down"
		if open[host] > 0 {
			state = "up"
		}
		fmt.Fprintf(&b, `<host><status state="%s" reason="no-response"/><address addr="198.51.100.%d" addrtype="ipv4"/>`, state, host)
		for port := range open[host] {
			fmt.Fprintf(&b, `<ports><port protocol="tcp" portid="%d"><state state="open" reason="syn-ack"/></port></ports>`, 21+port)
		}
		b.WriteString("</host>\n")
	}
	b.WriteString(`<runstats><finished time="1763000010" exit="success"/><hosts up="5" down="246" total="251"/></runstats>
</nmaprun>
`)
	return b.String()
}

func factsOf(ts *testscript.TestScript, document string) string {
	var doc struct {
		Findings []map[string]any `json:"findings"`
	}
	ts.Check(json.Unmarshal([]byte(document), &doc))
	if len(doc.Findings) == 0 {
		ts.Fatalf("no findings")
	}
	for _, f := range doc.Findings {
		for _, e := range f["evidence"].([]any) {
			delete(e.(map[string]any), "scan_id")
		}
	}
	text, err := json.MarshalIndent(doc, "", " ")
	ts.Check(err)
	return string(text)
}
