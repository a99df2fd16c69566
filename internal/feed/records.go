package feed

import (
	"context"
	"errors"
	"io"

	"github.com/patchscout/patchscout/internal/jsonstream"
)

// Records reads a JSON file that is a list of records, or a map of them, of which a bad one does not spoil the others.
// It is a jsonstream.Decoder that counts; use by one goroutine only.
type Records struct {
	*jsonstream.Decoder

	ctx   context.Context
	file  File
	sink  Sink
	n     int
	name  string
	field string
}

// NewRecords reads r, which Begin returned.
func NewRecords(ctx context.Context, file File, r io.Reader, sink Sink, limits jsonstream.Limits) *Records {
	return &Records{Decoder: jsonstream.New(r, limits), ctx: ctx, file: file, sink: sink}
}

// Each calls read for every element of the array, or member of the object, that comes next. read reads the record and
// returns its own id, "" if not known, for messages; its error ends the file. A record that cannot be read, or that read
// calls Bad, is rejected.
func (r *Records) Each(kind jsonstream.Kind, read func() (id string, err error)) error {
	if kind == jsonstream.Object {
		r.Object()
	} else {
		r.Array()
	}
	for r.More() {
		if r.n++; r.n&0xff == 0 && r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		if r.name, r.field = "", ""; kind == jsonstream.Object {
			r.name = string(r.Key())
		}
		mark := r.Record()
		id, err := read()
		if err != nil {
			return err
		}
		if err := r.Err(); err != nil {
			if !r.Recover(mark) {
				return r.Broken()
			}
			r.sink.Reject(jsonstream.Rejection(r.file.Name, r.n, id, r.field, err))
		}
	}
	if r.Err() != nil {
		return r.Broken()
	}
	return nil
}

// Name is the name of the member that is being read, "" in an array.
func (r *Records) Name() string { return r.name }

// Bad rejects the record that is being read, after it was read to its end. Without that it does nothing: what hindered
// the reading is the reason then.
func (r *Records) Bad(field, reason string) {
	if r.Err() == nil {
		r.field = field
		r.Reject(reason)
	}
}

// RejectPart rejects a part of the record that is being read and leaves the rest of it standing.
func (r *Records) RejectPart(id, field, reason string) {
	if r.Err() == nil {
		r.sink.Reject(jsonstream.Rejection(r.file.Name, r.n, id, field, errors.New(reason)))
	}
}

// Count is how many records there were so far.
func (r *Records) Count() int { return r.n }

// Broken is the error of a file that ends here, nil when there is none.
func (r *Records) Broken() error {
	if r.Err() == nil {
		return nil
	}
	return jsonstream.Broken(r.file.Name, r.n, r.Err())
}
