package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/patchscout/patchscout/internal/fault"
)

// output is where a result goes: --format and -o.
type output struct {
	format string
	file   string
}

func (o *output) flags(cmd *cobra.Command, formats ...string) {
	cmd.Flags().StringVar(&o.format, "format", formats[0], strings.Join(formats, ", "))
	cmd.Flags().StringVarP(&o.file, "output", "o", "", "write to this file instead of standard output")
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if err := o.among(formats...); err != nil {
			return err
		}
		return o.check()
	}
}

func (o *output) among(formats ...string) error {
	if !slices.Contains(formats, o.format) {
		return fault.Invalid("--format %s: want %s", o.format, strings.Join(formats, ", "))
	}
	return nil
}

// check finds out before a long scan whether the file can be written.
func (o *output) check() error {
	if o.file == "" || o.file == "-" {
		return nil
	}
	info, err := os.Stat(filepath.Dir(o.file))
	if err != nil || !info.IsDir() {
		return fault.Invalid("-o %s: folder %s does not exist", o.file, filepath.Dir(o.file))
	}
	if info, err := os.Stat(o.file); err == nil && info.IsDir() {
		return fault.Invalid("-o %s is a folder", o.file)
	}
	return nil
}

// write renders to standard output or, atomically, to the file: readers see the old content or the new, never half.
func (o *output) write(e *environment, render func(io.Writer) error) error {
	if o.file == "" || o.file == "-" {
		return discardOnPipe(buffered(e.stdout, render))
	}
	return writeFile(o.file, render)
}

// target is what a table is drawn for.
func (o *output) target(e *environment) io.Writer {
	if o.file == "" || o.file == "-" {
		return e.stdout
	}
	return io.Discard
}

func buffered(w io.Writer, render func(io.Writer) error) error {
	out := bufio.NewWriterSize(w, 64<<10)
	if err := render(out); err != nil {
		return err
	}
	return out.Flush()
}

func writeFile(path string, render func(io.Writer) error) (err error) {
	if info, statErr := os.Stat(path); statErr == nil && !info.Mode().IsRegular() { // /dev/stdout, a named pipe
		return writeInPlace(path, render)
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".patchscout-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(temp.Name()))
		}
	}()
	if err := buffered(temp, render); err != nil {
		return errors.Join(err, temp.Close())
	}
	if err := errors.Join(temp.Sync(), temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path) // CreateTemp made it 0600: results name weaknesses
}

func writeInPlace(path string, render func(io.Writer) error) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(buffered(file, render), file.Close())
}
