package report

import (
	"bytes"
	"context"
	"io"
	"net/netip"
	"regexp"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/jsonstream"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// testssl reads what testssl.sh writes: flat JSON (--jsonfile), nested JSON (--jsonfile-pretty) and CSV, of 2.9 on. A record
// is one result, an id of a host and port. What is OK passed; INFO, WARN and DEBUG are facts; a run that ended with FATAL
// is a failed one.
type testssl struct{}

// Name is "testssl".
func (testssl) Name() string { return "testssl" }

// Detect knows the members of its JSON and the header of its CSV.
func (testssl) Detect(head []byte) bool {
	if bytes.HasPrefix(head, []byte(`"id","fqdn/ip","port","severity"`)) || bytes.HasPrefix(head, []byte(`id,fqdn/ip,port,severity`)) {
		return true
	}
	found := outline(head)
	return has(found, "[].id", "[].severity", "[].finding", "[].ip") || has(found, "Invocation", "scanResult") ||
		has(found, "scanResult[].targetHost") || has(found, "Invocation", "openssl", "startTime") || has(found, "clientProblem1[].severity")
}

// Read emits the results.
func (testssl) Read(ctx context.Context, raw io.Reader, emit func(finding.Event) error) error {
	head, in := intake.Head(heedful{ctx, raw})
	if !bytes.HasPrefix(head, []byte("[")) && !bytes.HasPrefix(head, []byte("{")) {
		return (&testsslReport{out: newOut(emit)}).csv(intake.NewTable("testssl", in, 0))
	}
	t := &testsslReport{out: newOut(emit)}
	if head[0] == '[' { // nothing stands behind the results
		s := newStream(in)
		if err := t.list(s.Decoder, testsslResult{}); err != nil {
			return err
		}
		if err := s.end("testssl"); err != nil {
			return err
		}
		return t.failure()
	}
	k, err := keep("testssl", in)
	if err != nil {
		return err
	}
	defer k.close()
	if err := k.pass(ctx, "testssl", t.lookAhead); err != nil && !cut(err) {
		return err
	}
	if err := k.pass(ctx, "testssl", t.json); err != nil {
		return err
	}
	return t.failure()
}

type testsslReport struct {
	*out
	started  time.Time
	duration time.Duration
	met      bool // a result or a member that only these reports have was met
	results  int  // other than warnings and FATAL
	fatal    string
	failed   int
}

func (t *testsslReport) at() time.Time {
	if t.started.IsZero() {
		return t.started
	}
	return t.started.Add(t.duration)
}

// lookAhead finds the time, of which the end stands at the end.
func (t *testsslReport) lookAhead(d *jsonstream.Decoder) error {
	if d.Kind() != jsonstream.Object {
		d.Skip()
		return nil
	}
	members(d, func(key string) {
		switch key {
		case "startTime":
			t.started = unixTime(word(d))
		case "scanTime":
			if took, err := time.ParseDuration(word(d) + "s"); err == nil && took > 0 && took < 30*24*time.Hour {
				t.duration = took
			}
		default:
			d.Skip()
		}
	})
	return nil
}

// testsslResult is one result; the nested form says the place once for all of a target.
type testsslResult struct{ id, ip, port, severity, finding, cve, cwe, hint string }

func (r *testsslResult) read(d *jsonstream.Decoder) {
	fields := map[string]*string{"id": &r.id, "ip": &r.ip, "port": &r.port, "severity": &r.severity, "finding": &r.finding, "cve": &r.cve, "cwe": &r.cwe, "hint": &r.hint}
	members(d, func(key string) {
		if field := fields[key]; field != nil {
			*field = text(d, intake.MaxText)
			return
		}
		d.Skip()
	})
}

// json reads the nested form, which has results below its targets and sections.
func (t *testsslReport) json(d *jsonstream.Decoder) error {
	var err error
	members(d, func(key string) {
		switch {
		case strings.HasPrefix(key, "clientProblem") && d.Kind() == jsonstream.Array: // results about testssl.sh's own machine
			if err = t.list(d, testsslResult{}); err != nil {
				d.Reject("ended") // err is what counts
			}
			return
		case key != "scanResult":
			d.Skip()
			return
		}
		t.met = true
		elements(d, func() {
			if e := t.target(d); e != nil && err == nil {
				err = e
				d.Reject("ended") // err is what counts
			}
		})
	})
	return err
}

// target reads one target; what cannot be scanned is a result among the targets.
func (t *testsslReport) target(d *jsonstream.Decoder) error {
	var at testsslResult
	var host string
	var err error
	var own testsslResult
	members(d, func(key string) {
		switch key {
		case "targetHost":
			host = word(d)
		case "ip":
			at.ip = word(d)
		case "port":
			at.port = word(d)
		case "id":
			own.id = word(d)
		case "severity":
			own.severity = word(d)
		case "finding":
			own.finding = text(d, intake.MaxText)
		default:
			if d.Kind() != jsonstream.Array {
				d.Skip()
				return
			}
			place := at
			if host != "" {
				place.ip = host + "/" + at.ip
			}
			if err = t.list(d, place); err != nil {
				d.Reject("ended")
			}
		}
	})
	if err == nil && own.id != "" && d.Err() == nil {
		own.ip, own.port = at.ip, at.port
		return t.tell(own)
	}
	return err
}

func (t *testsslReport) list(d *jsonstream.Decoder, place testsslResult) error {
	var r testsslResult
	return records(d, t.out, func() {
		r = place
		r.read(d)
	}, func() error { return t.tell(r) })
}

// oneOfMany are results of single ciphers and simulated clients; the class they are of is judged by a result of its own.
var oneOfMany = regexp.MustCompile(`^(?:cipher[-_](?:x|(?:tls|ssl)[\w.]*_x)|clientsimulation-|clientSimulation)`)

// potentially says whether testssl.sh itself is not sure.
func potentially(said string) bool {
	said = strings.ToLower(said)
	return strings.Contains(said, "potential") || strings.Contains(said, "check patches") || strings.Contains(said, "not fully tested")
}

func (t *testsslReport) tell(r testsslResult) error {
	if r.id == "" || r.severity == "" {
		if !t.met {
			return fault.Invalid("not a testssl report: a result without id or severity")
		}
		return t.drop("malformed: a result without id or severity")
	}
	t.met = true
	level := strings.ToUpper(strings.TrimSpace(r.severity))
	if level == "FATAL" {
		return t.fail(r)
	}
	if level != "WARN" && level != "DEBUG" {
		t.results++
	}
	switch {
	case oneOfMany.MatchString(r.id):
		return t.note("one cipher or client of many")
	case level == "INFO", level == "DEBUG":
		return t.note("of no severity")
	case level == "WARN":
		return t.note("could not be tested")
	}
	address, name := testsslHost(r.ip)
	o := finding.Observation{Address: address, HostName: name, Port: portNumber(r.port), At: t.at(), Check: "testssl:" + r.id,
		Title: "TLS: " + r.id + ": " + intake.Cut(r.finding, 200), Output: joined(r.finding, r.hint), CVEs: finding.CVEsIn(r.cve), CWEs: finding.CWEsIn(r.cwe), Confidence: 95}
	if o.Port != 0 {
		o.Protocol = "tcp"
	}
	if potentially(r.finding) {
		o.Confidence = 60
	}
	if level == "OK" {
		o.Passed = true
		return t.seenAs(o, name)
	}
	if o.Severity = severity(level); o.Severity == "" {
		return t.drop("malformed: unknown severity")
	}
	return t.seenAs(o, name)
}

// seenAs tells of the observation, and of its host by address and name.
func (t *testsslReport) seenAs(o finding.Observation, name string) error {
	if err := t.known(endpoint{address: o.Address, host: name}, o.At); err != nil {
		return err
	}
	return t.observe(o)
}

// testsslHost splits "name/address"; either may be missing.
func testsslHost(text string) (address netip.Addr, name string) {
	name, rest, _ := strings.Cut(text, "/")
	for _, part := range []string{rest, name} {
		if a, err := netip.ParseAddr(strings.Trim(strings.TrimSpace(part), "[]")); err == nil && !address.IsValid() {
			address = a
		}
	}
	return address, asset.NameValue(place(name).name())
}

// fail notes a target that could not be tested.
func (t *testsslReport) fail(r testsslResult) error {
	t.fatal, t.failed = oneLine(intake.Cut(r.finding, 300)), t.failed+1
	address, name := testsslHost(r.ip)
	h := finding.HostSeen{Address: address, Status: string(asset.Unknown), Reason: "testssl.sh could not test it: " + t.fatal, At: t.at()}
	if name != "" {
		h.Names = []string{name}
	}
	if err := t.host(h); err != nil {
		return err
	}
	return t.drop("the test failed")
}

// failure is the error of a report in which nothing was tested.
func (t *testsslReport) failure() error {
	if !t.met {
		return fault.Invalid("not a testssl report: it has no results")
	}
	if t.failed > 0 && t.results == 0 {
		return fault.Invalid("testssl.sh tested nothing: %s", t.fatal)
	}
	return nil
}

func (t *testsslReport) csv(table *intake.Table) error {
	if err := table.Header("id", "severity", "finding"); err != nil {
		return err
	}
	t.met = true
	err := wholeRows(t.out, "testssl", table, table.Columns(), func([]string) error {
		return t.tell(testsslResult{id: table.Get("id"), ip: table.Get("fqdn/ip", "ip"), port: table.Get("port"), severity: table.Get("severity"),
			finding: table.Get("finding"), cve: table.Get("cve"), cwe: table.Get("cwe")})
	})
	if err != nil {
		return err
	}
	return t.failure()
}
