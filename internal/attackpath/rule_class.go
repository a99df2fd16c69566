package attackpath

import "strings"

// cweClass is a set of groups of weaknesses (CWE) that the rules treat alike.
type cweClass uint16

const (
	runsCode     cweClass = 1 << iota // what is sent is run
	breaksMemory                      // code can run when everything else is lost too
	inBrowser                         // it happens in another user's browser or session
	inDatabase                        // SQL
	opensDoor                         // authentication is missing or can be passed by
	grantsMore                        // who has some rights gets more
	builtInKey                        // a credential that is the same everywhere
	namesFile                         // which file is read, written or run
	stops                             // it ends or slows the service
	tellsOnly                         // it discloses
)

// classes by CWE. What stands in none says nothing of what is gained.
var classes = func() map[string]cweClass {
	table := map[string]cweClass{}
	for c, numbers := range map[cweClass]string{
		runsCode:     "77 78 88 91 94 95 96 97 98 434 470 494 502 506 624 829 913 915 917 1321 1336",
		breaksMemory: "118 119 120 121 122 123 124 125 126 127 129 131 134 189 190 191 193 415 416 457 590 664 672 680 681 704 761 762 763 787 788 805 806 822 823 824 825 843 908 1284",
		inBrowser:    "79 80 81 83 84 85 86 87 352 601 1021 1275 942 113 444 451",
		inDatabase:   "89 564 943",
		opensDoor:    "287 288 289 290 294 302 303 304 305 306 307 425 521 522 603 620 640 804 836 1390 1391 285 862 863 639 284 346 347",
		grantsMore:   "250 264 265 266 267 268 269 270 271 272 273 274 275 276 277 278 279 280 281 282 283 648 732 426 427 428 59 61 62 64 65 367 379 377",
		builtInKey:   "258 259 321 798 1392 1393 1394",
		namesFile:    "22 23 24 25 26 27 28 29 35 36 38 40 59 61 73 538 552 610 641",
		stops:        "369 399 400 401 404 405 407 409 410 476 617 674 755 770 771 772 775 776 779 789 834 835 1333",
		tellsOnly:    "200 201 202 203 204 205 208 209 210 213 215 226 311 312 313 316 319 326 327 328 330 331 335 338 359 385 497 524 525 526 530 532 540 541 548 598 611 1230 918",
	} {
		for number := range strings.FieldsSeq(numbers) {
			table["CWE-"+number] |= c
		}
	}
	return table
}()

// maxCWEs bounds how many weaknesses of a flaw are looked at.
const maxCWEs = 32

func classOf(id string) cweClass {
	if len(id) > len("CWE-99999") {
		return 0
	}
	return classes[id]
}

func classesOf(cwes []string) (all cweClass) {
	for _, id := range cwes[:min(len(cwes), maxCWEs)] {
		all |= classOf(id)
	}
	return all
}

// named is the first CWE of a class, for people.
func named(cwes []string, c cweClass) string {
	for _, id := range cwes[:min(len(cwes), maxCWEs)] {
		if classOf(id)&c != 0 {
			return id
		}
	}
	return ""
}
