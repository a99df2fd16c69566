package scan

import "errors"

// ErrTruncated says that a report ended before it was complete (the tool was killed, the disk was full). What stood in
// it before that point was emitted; none of it counts as coverage.
var ErrTruncated = errors.New("report is truncated")
