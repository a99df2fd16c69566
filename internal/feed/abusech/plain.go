package abusech

import (
	"context"
	"errors"
	"io"

	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/intel"
)

const (
	addressFile  = "threatfox_ips.txt"
	maxPlainLine = 4 << 10
)

// eachLine calls f for every line that is no comment.
func eachLine(ctx context.Context, file feed.File, r io.Reader, sink feed.Sink, f func(text, place string) error) error {
	lines := feed.NewJSONLines(file, r, maxPlainLine)
	for n := 0; ; n++ {
		if n&0xfff == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		text, err := lines.Next()
		var bad *feed.RowError
		switch {
		case err == io.EOF: //nolint:errorlint // a wrapped one is a failure, not the end
			return nil
		case errors.As(err, &bad):
			sink.Reject(lines.Place(), bad.Reason)
		case err != nil:
			return err
		case text[0] != '#':
			if err := f(string(text), lines.Place()); err != nil {
				return err
			}
		}
	}
}

// readAddresses reads a list of addresses alone: neither dates nor a confidence, so they never expire by themselves.
func readAddresses(ctx context.Context, file feed.File, r io.Reader, o *once) error {
	err := eachLine(ctx, file, r, o, func(text, place string) error {
		kind, value, port, err := intel.CanonicalIndicator(text)
		if err != nil || kind != intel.IndicatorIP {
			o.Reject(place, "malformed address")
			return nil
		}
		return o.indicator(intel.Indicator{
			Kind: kind, Value: value, Port: port, Confidence: threatFoxConfidence, Source: "threatfox",
		})
	})
	if err != nil {
		return err
	}
	return o.anyGood()
}

// readHashes reads MalwareBazaar's list of hashes. A hash stays that of malware, so it never expires.
func readHashes(ctx context.Context, file feed.File, r io.Reader, o *once) error {
	err := eachLine(ctx, file, r, o, func(text, place string) error {
		kind, value, _, err := intel.CanonicalIndicator(text)
		if err != nil || kind != intel.IndicatorHash || len(value) != 64 {
			o.Reject(place, "no SHA-256 hash")
			return nil
		}
		return o.indicator(intel.Indicator{
			Kind: kind, Value: value, Threat: "payload", Confidence: hashConfidence, Source: "malwarebazaar",
			Reference: "https://bazaar.abuse.ch/sample/" + value + "/",
		})
	})
	if err != nil {
		return err
	}
	return o.anyGood()
}
