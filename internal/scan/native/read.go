package native

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
)

// The limits of a report that somebody hands us.
const (
	maxLine    = 1 << 20
	maxPending = 1 << 16 // hosts begun and not done
	maxPorts   = 65535
	maxList    = 64 // names or CPEs of one record
)

// Read implements scan.Scanner. Events of one host come together, when its last line was read: HostSeen with all that
// its services said about it, its services by port, its Coverage. Hosts that the report began and did not end follow at
// the end, in the order in which they began, without Coverage. A line that is no record of ours becomes a Drop that
// names it; more than that is wrong with a report whose first line is not a start.
func (Scanner) Read(ctx context.Context, raw io.Reader, emit func(finding.Event) error) error {
	r := &reader{emit: emit, pending: map[netip.Addr]*pendingHost{}}
	lines := bufio.NewReaderSize(raw, 64<<10)
	for r.line = 1; ; r.line++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		text, whole, err := readLine(lines)
		if err != nil && err != io.EOF {
			return errors.Join(r.flush(), fmt.Errorf("read native report, line %d: %w", r.line, err))
		}
		if len(text) > 0 && (whole || json.Valid(text)) {
			if err := r.take(text); err != nil {
				return err
			}
		}
		if err == io.EOF {
			break
		}
	}
	if r.line == 1 && !r.started {
		return fmt.Errorf("native report is empty: %w", scan.ErrTruncated)
	}
	if err := r.flush(); err != nil {
		return err
	}
	if !r.ended {
		return fmt.Errorf("native report ends in line %d without an end record: %w", r.line, scan.ErrTruncated)
	}
	return nil
}

// readLine returns one line without its end; whole is false at the end of the input without a line end. What exceeds
// maxLine is skipped and the line comes back as one that does not parse.
func readLine(r *bufio.Reader) (text []byte, whole bool, err error) {
	tooLong := false
	for {
		part, err := r.ReadSlice('\n')
		if len(text)+len(part) > maxLine {
			tooLong = true
			text = text[:0]
		}
		if !tooLong {
			text = append(text, part...)
		}
		if err == bufio.ErrBufferFull {
			continue
		}
		if tooLong {
			return []byte("line too long"), err == nil, err
		}
		if err == nil {
			text = text[:len(text)-1]
		}
		return text, err == nil, err
	}
}

type reader struct {
	emit    func(finding.Event) error
	line    int
	started bool
	ended   bool
	pending map[netip.Addr]*pendingHost
	order   []netip.Addr
}

type pendingHost struct {
	host     finding.HostSeen
	services []*finding.ServiceSeen
}

func (r *reader) take(text []byte) error {
	var rec record
	if err := json.Unmarshal(text, &rec); err != nil {
		if !r.started {
			return fault.Invalid("not a native report: line %d is no JSON record", r.line)
		}
		return r.drop("malformed record")
	}
	if !r.started {
		if rec.Kind != kindStart || rec.Tool != Name {
			return fault.Invalid("not a native report: line %d is no start record", r.line)
		}
		if rec.Format > formatVersion {
			return fault.Invalid("native report of format %d, this version reads up to %d", rec.Format, formatVersion)
		}
		r.started = true
		return nil
	}
	rec.limit()
	switch rec.Kind {
	case kindEnd:
		r.ended = true
		return nil
	case kindHost, kindService, kindDone:
	default:
		return r.drop("unknown kind of record")
	}
	addr, err := netip.ParseAddr(rec.Address)
	if err != nil {
		return r.drop("record without a valid address")
	}
	addr = addr.Unmap()
	switch rec.Kind {
	case kindHost:
		return r.begin(addr, rec)
	case kindService:
		return r.service(addr, rec)
	default:
		return r.done(addr, rec)
	}
}

// limit cuts what a report of ours would never hold so large.
func (r *record) limit() {
	r.Names = r.Names[:min(len(r.Names), maxList)]
	r.CPEs = r.CPEs[:min(len(r.CPEs), maxList)]
	for _, list := range [][]string{r.Names, r.CPEs} {
		for i := range list {
			list[i] = line(clip(list[i], 512))
		}
	}
	for _, s := range []*string{&r.Status, &r.Reason, &r.OS, &r.SSHKey, &r.Name, &r.Product, &r.Version, &r.Extra, &r.Backport} {
		*s = line(clip(*s, 512))
	}
	r.Banner = clip(printable([]byte(clip(r.Banner, maxBanner))), maxBanner)
	switch asset.HostStatus(r.Status) {
	case asset.Up, asset.Down:
	default:
		r.Status = string(asset.Unknown)
	}
}

func (r *reader) begin(addr netip.Addr, rec record) error {
	if _, known := r.pending[addr]; known {
		return r.drop("host begun twice")
	}
	if len(r.pending) >= maxPending {
		return r.drop("too many unfinished hosts")
	}
	r.pending[addr] = &pendingHost{host: rec.host(addr)}
	r.order = append(r.order, addr)
	return nil
}

func (r *reader) service(addr netip.Addr, rec record) error {
	p := r.pending[addr]
	if p == nil {
		return r.drop("service of a host that was not begun")
	}
	if rec.Port == 0 || len(p.services) >= maxPorts {
		return r.drop("service without a valid port")
	}
	p.services = append(p.services, rec.service(addr))
	return nil
}

func (r *reader) done(addr netip.Addr, rec record) error {
	ports, err := finding.ReadPorts(rec.Ports)
	if err != nil {
		return r.drop(err.Error())
	}
	p := r.pending[addr]
	if p == nil {
		p = &pendingHost{}
	}
	delete(r.pending, addr)
	p.host = rec.host(addr)
	if err := r.tell(p); err != nil {
		return err
	}
	if len(ports) == 0 || asset.HostStatus(rec.Status) != asset.Up {
		return nil
	}
	return r.emit(finding.Event{Coverage: &finding.Coverage{Sensor: Name, Address: addr, Protocol: "tcp", Ports: ports, At: rec.At}})
}

func (r *reader) tell(p *pendingHost) error {
	if err := r.emit(finding.Event{Host: &p.host}); err != nil {
		return err
	}
	slices.SortStableFunc(p.services, func(a, b *finding.ServiceSeen) int { return int(a.Port) - int(b.Port) })
	for _, s := range p.services {
		if err := r.emit(finding.Event{Service: s}); err != nil {
			return err
		}
	}
	return nil
}

// flush tells the hosts that were begun and not done.
func (r *reader) flush() error {
	for _, addr := range r.order {
		p := r.pending[addr]
		if p == nil {
			continue
		}
		delete(r.pending, addr)
		if err := r.tell(p); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) drop(reason string) error {
	return r.emit(finding.Event{Drop: &finding.Drop{Reason: fmt.Sprintf("malformed: line %d: %s", r.line, reason), Count: 1}})
}
