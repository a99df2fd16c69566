package nessus

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
)

// MinVersion is the oldest Nessus that we run: the first with this API.
const MinVersion = 6

// Available returns the server's version, or fault.Unavailable (fault.Denied for keys that are not taken) with what to do.
func (s *Scanner) Available(ctx context.Context) (string, error) {
	if s.client == nil {
		return "", fault.Unavailable("no Nessus server is configured; its reports can be imported")
	}
	var state struct {
		Status   string `json:"status"`
		Progress *int   `json:"progress"`
	}
	anonymous := &session{client: &client{door: s.client.door, base: s.client.base, opts: Options{Poll: s.opts.Poll}}}
	err := anonymous.once(ctx, http.MethodGet, "/server/status", nil, &state)
	switch {
	case statusOf(err) == http.StatusServiceUnavailable:
		return "", fault.Unavailable("nessus: the server is starting: %w", err)
	case err != nil && statusOf(err) != http.StatusNotFound && statusOf(err) != http.StatusUnauthorized:
		return "", explain("ask for the server's status", err)
	case state.Status != "" && state.Status != "ready":
		return "", fault.Unavailable("nessus: the server is not ready yet, it says %q", printable(state.Status))
	}
	in, err := s.client.open(ctx)
	if err != nil {
		return "", err
	}
	defer in.close(context.WithoutCancel(ctx))
	if err := in.call(ctx, http.MethodGet, "/session", nil, nil); err != nil {
		return "", explain("log in", err)
	}
	return in.version(ctx)
}

// properties is what /server/properties says of the server; features stand in different places of different versions.
type properties struct {
	Version  string   `json:"server_version"`
	UI       string   `json:"nessus_ui_version"`
	Features features `json:"features"`
	License  struct {
		Name     string   `json:"name"`
		Features features `json:"features"`
	} `json:"license"`
}

type features struct {
	ScanAPI *bool `json:"scan_api"`
}

func (s *session) version(ctx context.Context) (string, error) {
	var p properties
	if err := s.call(ctx, http.MethodGet, "/server/properties", nil, &p); err != nil {
		return "", explain("ask for the server's version", err)
	}
	version := printable(p.Version)
	if version == "" {
		version = printable(p.UI)
	}
	major, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(major); err == nil && n < MinVersion {
		return "", fault.Unavailable("nessus: the server has version %s: want %d or newer", version, MinVersion)
	}
	for _, f := range []features{p.Features, p.License.Features} {
		if f.ScanAPI != nil && !*f.ScanAPI {
			return "", fault.Unavailable("nessus %s %s: %s", version, printable(p.License.Name), noScanAPI)
		}
	}
	return version, nil
}

// goodbye is how long stopping and removing a scan may take after a cancel; Run promises two seconds in all.
const goodbye = 1500 * time.Millisecond

// Run creates a scan of the job's addresses, launches it, waits for its end, and writes its export (.nessus) to raw. The
// scan is removed from the server afterwards unless Options.Keep. When ctx ends, the scan is stopped.
//
// A scan that the server stopped, cancelled or aborted is fault.Unavailable, after what it found up to then was written: it
// is never taken for a clean one. An export that breaks off and cannot be fetched again is scan.ErrTruncated.
func (s *Scanner) Run(ctx context.Context, job scan.Job, raw io.Writer, progress func(scan.Progress)) error {
	if s.client == nil {
		return fault.Unavailable("no Nessus server is configured; its reports can be imported")
	}
	if len(job.Hosts) == 0 {
		return fault.Invalid("nessus: nothing to scan")
	}
	if job.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, job.Timeout)
		defer cancel()
	}
	in, err := s.client.open(ctx)
	if err != nil {
		return err
	}
	r := &run{session: in, meter: meter{emit: progress, total: len(job.Hosts)}}
	err = r.work(ctx, job, raw)
	r.leave(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// run is one scan on the server.
type run struct {
	*session
	meter meter

	id      int64 // 0: not created
	running bool
}

func (r *run) work(ctx context.Context, job scan.Job, raw io.Writer) error {
	r.meter.tell("starting", 0)
	if err := r.create(ctx, job); err != nil {
		return err
	}
	r.running = true // also when the answer to the launch gets lost
	if err := r.call(ctx, http.MethodPost, r.path("/launch"), map[string]any{}, nil); err != nil {
		if statusOf(err) != 0 {
			r.running = false
		}
		return explain("launch the scan", err)
	}
	status, err := r.wait(ctx)
	if err != nil {
		return err
	}
	r.running = false
	r.meter.tell("export", 95)
	err = r.export(ctx, raw)
	switch {
	case status != "completed" && err != nil:
		return fault.Unavailable("nessus: the scan did not run to its end, the server says %q; what it found could not be had: %w", status, err)
	case status != "completed":
		return fault.Unavailable("nessus: the scan did not run to its end, the server says %q", status)
	case err != nil:
		return err
	}
	r.meter.tell("done", 100)
	return nil
}

func (r *run) path(rest string) string { return "/scans/" + strconv.FormatInt(r.id, 10) + rest }

// create makes the scan.
func (r *run) create(ctx context.Context, job scan.Job) error {
	ports, err := portRange(job)
	if err != nil {
		return err
	}
	template, policyID, err := r.template(ctx)
	if err != nil {
		return err
	}
	settings := map[string]any{
		"name":         fmt.Sprintf("PatchScout %s, %d hosts", job.Scanning.UTC().Format("2006-01-02 15:04:05"), len(job.Hosts)),
		"description":  "Made and removed by PatchScout.",
		"enabled":      false, // no schedule; it is launched by hand
		"text_targets": targets(job.Hosts),
	}
	if ports != "" {
		settings["discovery_mode"] = "custom"
		settings["portscan_range"] = ports
	}
	if policyID != 0 {
		settings["policy_id"] = policyID
	}
	if r.opts.Folder != 0 {
		settings["folder_id"] = r.opts.Folder
	}
	var answer struct {
		Scan struct {
			ID int64 `json:"id"`
		} `json:"scan"`
	}
	if err := r.call(ctx, http.MethodPost, "/scans", map[string]any{"uuid": template, "settings": settings}, &answer); err != nil {
		return explain("create the scan", err)
	}
	if answer.Scan.ID <= 0 {
		return fault.Unavailable("nessus: create the scan: the server gives it no id")
	}
	r.id = answer.Scan.ID
	return nil
}

// template is the uuid of the template, or of the one that the configured policy was made from, with the policy's id.
func (r *run) template(ctx context.Context) (uuid string, policyID int, err error) {
	if r.opts.Policy != "" {
		return r.serverPolicy(ctx)
	}
	name := r.opts.Template
	if name == "" {
		name = "basic"
	}
	var answer struct {
		Templates []struct {
			Name string `json:"name"`
			UUID string `json:"uuid"`
		} `json:"templates"`
	}
	if err := r.call(ctx, http.MethodGet, "/editor/scan/templates", nil, &answer); err != nil {
		return "", 0, explain("list the templates", err)
	}
	var names []string
	for _, t := range answer.Templates {
		if strings.EqualFold(t.Name, name) && t.UUID != "" {
			return t.UUID, 0, nil
		}
		names = append(names, t.Name)
	}
	slices.Sort(names)
	return "", 0, fault.NotFound("nessus: the server has no template %q, but %s", name, printable(strings.Join(names, ", ")))
}

// serverPolicy finds the configured policy by its id or its name.
func (r *run) serverPolicy(ctx context.Context) (template string, id int, err error) {
	var answer struct {
		Policies []struct {
			ID       int    `json:"id"`
			Name     string `json:"name"`
			Template string `json:"template_uuid"`
		} `json:"policies"`
	}
	if err := r.call(ctx, http.MethodGet, "/policies", nil, &answer); err != nil {
		return "", 0, explain("list the policies", err)
	}
	for _, p := range answer.Policies {
		if (strconv.Itoa(p.ID) == r.opts.Policy || strings.EqualFold(p.Name, r.opts.Policy)) && p.Template != "" {
			return p.Template, p.ID, nil
		}
	}
	return "", 0, fault.NotFound("nessus: the server has no policy %q that its user may use", r.opts.Policy)
}

// portRange is the job's ports as Nessus takes them, "" for the template's own. Ports cannot be taken out of those, since
// nobody tells which they are: a scan that must leave some alone has to say which it wants.
func portRange(job scan.Job) (string, error) {
	ports := job.Ports
	switch {
	case len(ports) == 0 && job.Profile == scan.Web:
		ports = scan.WebPorts()
	case len(ports) == 0 && job.Profile == scan.Full:
		ports = []finding.PortRange{{First: 1, Last: 65535}}
	case len(ports) == 0 && len(job.Exclude) > 0:
		return "", fault.Invalid("nessus: ports can only be excluded from ports that the scan names: add --ports or the profile full")
	}
	if len(ports) == 0 {
		return "", nil
	}
	for _, h := range job.Hosts {
		for _, p := range h.Ports {
			ports = append(ports[:len(ports):len(ports)], finding.PortRange{First: p, Last: p})
		}
	}
	left := scan.SubtractPorts(scan.MergePorts(ports), job.Exclude)
	if len(left) == 0 {
		return "", fault.Invalid("nessus: every port is excluded")
	}
	return finding.PrintPorts(left), nil
}

// targets prints the addresses.
func targets(hosts []scan.HostTarget) string {
	out := make([]string, len(hosts))
	for i, h := range hosts {
		out[i] = h.Address.Unmap().String()
	}
	return strings.Join(out, ",")
}

// detail is what GET /scans/{id} says.
type detail struct {
	Info struct {
		Status string `json:"status"`
	} `json:"info"`
	Hosts []struct {
		Current int64 `json:"scanprogresscurrent"`
		Total   int64 `json:"scanprogresstotal"`
	} `json:"hosts"`
}

// grace is how often in a row the server may call a scan "empty", never run, after it was launched, or may not be reached
// while it scans on.
const grace = 12

// wait looks at the scan until it has ended, and returns the server's word for how.
func (r *run) wait(ctx context.Context) (string, error) {
	for empty, failed := 0, 0; ; {
		var d detail
		err := r.call(ctx, http.MethodGet, r.path(""), nil, &d)
		if failed++; err == nil {
			failed = 0
		}
		if err != nil && (!lost(err) || failed >= grace || ctx.Err() != nil) {
			return "", explain("ask for the scan's status", err)
		}
		if err != nil {
			continue // after the waits between the tries
		}
		status := printable(strings.ToLower(d.Info.Status))
		switch status {
		case "completed", "imported", "canceled", "cancelled", "aborted", "stopped":
			return status, nil
		case "empty", "":
			if empty++; empty >= grace {
				return "empty", nil
			}
		default: // pending, initializing, running, paused, resuming, stopping, processing, publishing, …
			r.meter.tell(status, 95*d.done(r.meter.total))
		}
		if err := pause(ctx, r.opts.Poll); err != nil {
			return "", err
		}
	}
}

// done is how much of the scan is over, 0 to 1. Hosts that Nessus has not come to are not in its list.
func (d *detail) done(total int) float64 {
	sum := 0.0
	for _, h := range d.Hosts {
		if h.Total > 0 {
			sum += min(1, max(0, float64(h.Current)/float64(h.Total)))
		}
	}
	return sum / float64(max(1, total, len(d.Hosts)))
}

// leave stops what still runs, removes the scan and logs out, within the time that a cancelled caller waits.
func (r *run) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
	defer cancel()
	if r.id != 0 && r.running {
		_ = r.again(ctx, http.MethodPost, r.path("/stop")) // best effort: the caller is told that the scan failed
	}
	if r.id != 0 && !r.opts.Keep {
		_ = r.again(ctx, http.MethodDelete, r.path("")) // a scan that is still stopping cannot be removed
	}
	r.close(ctx)
}

// again sends a request once, and once more with a new session.
func (r *run) again(ctx context.Context, method, path string) error {
	err := r.once(ctx, method, path, nil, nil)
	if statusOf(err) == http.StatusUnauthorized && r.token != "" && r.login(ctx) == nil {
		err = r.once(ctx, method, path, nil, nil)
	}
	return err
}

// meter tells progress, which never falls.
type meter struct {
	emit  func(scan.Progress)
	total int
	last  float64
}

func (m *meter) tell(stage string, percent float64) {
	m.last = max(m.last, percent)
	if m.emit != nil {
		m.emit(scan.Progress{Scanner: Name, Stage: stage, Percent: m.last, Done: int(m.last / 100 * float64(m.total)), Total: m.total})
	}
}
