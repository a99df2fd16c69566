package intel

import "strings"

// class is a set of groups of weaknesses that the rules treat alike.
type class uint32

const (
	injection class = 1 << iota // what is sent is taken for something else
	files                       // which file is read, written or run
	access                      // who may do what
	memory
	script   // cross-site scripting
	code     // of injection and files: what is sent is run
	forgery  // cross-site request forgery
	redirect // to a site of the attacker's
	guessing // of credentials
	builtIn  // credentials
	secrets  // that are kept or sent in the clear
	search   // path of programs and libraries
	upload   // of files
)

// groups lists CWE's numbers by group; a weakness may stand in several. Weaknesses that stand in none say nothing about
// how they are used. "Input validation" (20) stands with injection, as most CVEs that carry it are.
var groups = []struct {
	class class
	cwes  string
}{
	{injection, "20 74 77 78 88 89 90 91 94 95 96 98 99 113 116 158 184 470 502 610 611 643 776 917 918 1236 1336"},
	{files, "22 23 24 29 35 36 59 73 98 425 434 538 552"},
	{access, "200 259 264 269 276 284 285 287 288 290 294 302 304 305 306 307 346 347 352 425 521 522 613 620 639 640 648 668 732 " +
		"798 862 863 923 1188 1390 1391 1392"},
	{memory, "118 119 120 121 122 123 124 125 126 127 128 129 131 134 189 190 191 193 362 364 399 415 416 457 476 617 665 680 681 " +
		"704 763 787 788 822 823 824 825 843 908 909 1284"},
	{script, "79 80 83 87"},
	{code, "74 77 78 88 89 90 91 94 95 96 98 434 470 502 917 1336"},
	{forgery, "352"},
	{redirect, "601"},
	{guessing, "307 521 1391"},
	{builtIn, "259 798 1392"},
	{secrets, "256 257 260 312 313 319 522 523 532"},
	{search, "426 427 428"},
	{upload, "434"},
}

// classes is groups by "CWE-79".
var classes = func() map[string]class {
	all := map[string]class{}
	for _, g := range groups {
		for _, number := range strings.Fields(g.cwes) {
			all["CWE-"+number] |= g.class
		}
	}
	return all
}()
