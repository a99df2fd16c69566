package feed

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/fault"
)

// Limits on the walk through a folder that a user named: a mistyped "/" must not take an hour.
const (
	maxWalkDepth   = 12
	maxWalkEntries = 1_000_000 // the CVE List had 320,000 in 2026
	maxUnknown     = 1_000
)

// folder is the walk through --from DIR.
type folder struct {
	root    string
	visited map[string]bool // real paths of folders, against loops of symbolic links
	entries int
	paths   []string // regular files, sorted by depth, then name
}

// walk lists the files below root, or root itself if it is a file. Symbolic links are followed, each folder once;
// names that begin with a dot are left out.
func walk(ctx context.Context, root string) (*folder, error) {
	info, err := os.Stat(root)
	if err != nil {
		return nil, fault.NotFound("read %s: %w", root, err)
	}
	w := &folder{root: root, visited: map[string]bool{}}
	if info.Mode().IsRegular() {
		w.root, w.paths = filepath.Dir(root), []string{root}
		return w, nil
	}
	if !info.IsDir() {
		return nil, fault.Invalid("%s is neither a folder nor a file", root)
	}
	if err := w.enter(ctx, root, 0); err != nil {
		return nil, err
	}
	slices.SortStableFunc(w.paths, func(a, b string) int {
		if x, y := strings.Count(a, string(filepath.Separator)), strings.Count(b, string(filepath.Separator)); x != y {
			return x - y
		}
		return strings.Compare(a, b)
	})
	return w, nil
}

func (w *folder) enter(ctx context.Context, dir string, depth int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil || w.visited[real] || depth > maxWalkDepth {
		return nil
	}
	w.visited[real] = true
	entries, err := os.ReadDir(dir)
	if err != nil {
		if depth > 0 {
			return nil // a folder below that we may not read is as good as none
		}
		return fault.Unavailable("read %s: %w", dir, err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if w.entries++; w.entries > maxWalkEntries {
			return fault.Invalid("%s: more than %d files below it, name the folder of the feeds", w.root, maxWalkEntries)
		}
		path := filepath.Join(dir, e.Name())
		mode := e.Type()
		if mode&fs.ModeSymlink != 0 {
			info, err := os.Stat(path)
			if err != nil {
				continue // a dangling link
			}
			mode = info.Mode().Type()
		}
		switch {
		case mode.IsDir():
			if err := w.enter(ctx, path, depth+1); err != nil {
				return err
			}
		case mode.IsRegular():
			w.paths = append(w.paths, path)
		}
	}
	return nil
}

// gatherFolder finds the asked feeds' files below o.From.
func gatherFolder(ctx context.Context, o Options) (Gathering, error) {
	w, err := walk(ctx, o.From)
	if err != nil {
		return Gathering{}, err
	}
	owned, unknown := assign(w, o.Publishers)
	g := Gathering{Unknown: unknown}
	for _, p := range o.asked() {
		paths := owned[p.Feed()]
		if len(paths) == 0 && len(o.Feeds) == 0 {
			continue
		}
		gathered := Gathered{Feed: p.Feed(), Source: o.From}
		if len(paths) == 0 {
			gathered.Err = fault.NotFound("no file of the feed %s below %s", p.Feed(), o.From)
		} else {
			gathered.Files, gathered.Err = o.files(ctx, p, paths)
		}
		if err := ctx.Err(); err != nil {
			return Gathering{}, err
		}
		g.Feeds = append(g.Feeds, gathered)
	}
	if len(g.Feeds) == 0 {
		return g, fault.NotFound("no feed file below %s (want names such as nvdcve-2.0-2024.json.gz, "+
			"known_exploited_vulnerabilities.json, epss_scores-current.csv.gz, files_exploits.csv)", o.From)
	}
	return g, nil
}

// assign gives each file to the publisher that owns its name. Of two files with one name the less deep one counts, of
// x.json and x.json.gz side by side the compressed one; the others are listed with the unknown.
func assign(w *folder, publishers []Publisher) (owned map[string][]string, unknown []string) {
	owned = map[string][]string{}
	taken := map[string]bool{}
	for _, path := range preferZipped(w.paths) {
		base := plainName(path)
		i := slices.IndexFunc(publishers, func(p Publisher) bool { return owns(p, path) })
		key := ""
		if i >= 0 {
			key = publishers[i].Feed() + "/" + base
		}
		switch {
		case i >= 0 && !taken[key]:
			taken[key] = true
			owned[publishers[i].Feed()] = append(owned[publishers[i].Feed()], path)
		case i < 0 && isMeta(base, publishers):
		case len(unknown) < maxUnknown:
			rel, err := filepath.Rel(w.root, path)
			if err != nil {
				rel = path
			}
			unknown = append(unknown, filepath.ToSlash(rel))
		}
	}
	slices.Sort(unknown)
	return owned, unknown
}

// owns asks a publisher whether a file is its own, by its path where the name says too little.
func owns(p Publisher, path string) bool {
	byPath, ok := p.(PathOwner)
	if !ok {
		return p.Owns(plainName(path))
	}
	if full, err := filepath.Abs(path); err == nil {
		path = full
	}
	return byPath.OwnsPath(strings.TrimSuffix(filepath.ToSlash(path), ".gz"))
}

// preferZipped puts x.gz before x, within one folder.
func preferZipped(paths []string) []string {
	at := map[string]int{}
	out := slices.Clone(paths)
	for i, path := range out {
		plain := strings.TrimSuffix(path, ".gz")
		if j, ok := at[plain]; ok && plain != path {
			out[i], out[j] = out[j], out[i]
		} else {
			at[plain] = i
		}
	}
	return out
}

func plainName(path string) string { return strings.TrimSuffix(filepath.Base(path), ".gz") }

// isMeta says whether a file describes one that a publisher owns.
func isMeta(base string, publishers []Publisher) bool {
	stem, ok := strings.CutSuffix(base, ".meta")
	return ok && slices.ContainsFunc(publishers, func(p Publisher) bool { return p.Owns(stem + ".json") })
}

// files makes a publisher's Files in load order: hashed, with the .meta beside each where there is one.
func (o Options) files(ctx context.Context, p Publisher, paths []string) ([]File, error) {
	alone, grouped := groups(p, paths)
	slices.Sort(alone)
	files := make([]File, 0, len(alone)+len(grouped))
	for _, path := range alone {
		meta, err := metaBeside(path)
		if err != nil {
			return nil, err
		}
		f, err := o.file(ctx, p, path, meta)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	for name, paths := range grouped {
		f, err := o.group(ctx, p, name, paths)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	slices.SortFunc(files, func(a, b File) int {
		switch {
		case p.Less(a.Name, b.Name):
			return -1
		case p.Less(b.Name, a.Name):
			return 1
		default:
			return strings.Compare(a.Path, b.Path)
		}
	})
	return files, nil
}

func metaBeside(path string) (*Meta, error) {
	stem, ok := strings.CutSuffix(strings.TrimSuffix(path, ".gz"), ".json")
	if !ok {
		return nil, nil
	}
	f, err := os.Open(stem + ".meta")
	if err != nil {
		return nil, nil
	}
	defer f.Close()
	m, err := ParseMeta(f.Name(), f)
	if err != nil {
		return nil, err
	}
	return &m, nil
}

// file describes one stored file; meta may be nil.
func (o Options) file(ctx context.Context, p Publisher, path string, meta *Meta) (File, error) {
	sum, size, err := checksum(ctx, path)
	if err != nil {
		return File{}, err
	}
	s := stored{name: plainName(path), path: path, checksum: sum, meta: meta}
	if o.Read != nil {
		s.count = func(n int64) { o.Read(p.Feed(), n) }
	}
	return File{
		Feed: p.Feed(), Name: s.name, Path: path, Size: size, Checksum: sum,
		Unchanged: o.Seen[p.Feed()+"/"+s.name] == sum, Partial: p.Partial(s.name), Open: s.open,
	}, nil
}
