package graphtest

import "github.com/patchscout/patchscout/internal/attackpath/graph/exact"

// Published are networks from the literature, in our own words, whose answers are published.
func Published() map[string]Case {
	return map[string]Case{"three hosts": threeHosts(), "three machines": threeMachines(), "web, database, workstation": webAndDatabase()}
}

func action(id, post string, p float64, fix string, pre ...string) exact.Action {
	a := exact.Action{ID: id, Pre: pre, Post: []string{post}, P: p}
	if fix != "" {
		a.Fix = []string{fix}
	}
	return a
}

// threeHosts is the running example of Ou, Boyer and McQueen, "A scalable approach to attack graph generation" (CCS 2006):
// a web server that the internet reaches, a file server behind it that exports a share to it, and a workstation that runs
// programs from that share.
func threeHosts() Case {
	return Case{
		Name: "three hosts",
		Init: []string{"internet.attacker"},
		Actions: []exact.Action{
			action("send to httpd", "web.reached", 1, "", "internet.attacker"),
			action("exploit httpd", "web.apache", 1, "CVE-2002-0392 on web", "web.reached"),
			action("send to mountd", "file.reached", 1, "", "web.apache"),
			action("exploit mountd", "file.root", 1, "mountd on file", "file.reached"),
			action("write as root", "file.export", 1, "", "file.root"),
			action("mount the export", "file.export", 1, "", "web.apache"),
			action("change a program", "work.share", 1, "", "file.export"),
			action("wait until it is run", "work.root", 1, "", "work.share"),
		},
		Goals: []string{"work.root"},
	}
}

// threeMachines is the network of Wang, Noel and Jajodia (Computer Communications 29, 2006) with the chances of Wang et al.
// (DBSec 2008): each of two machines can be made to trust another over its FTP server's .rhosts, one has an SSH server that
// overflows, both a local program that does. It has a cycle.
func threeMachines() Case {
	return Case{
		Name: "three machines",
		Init: []string{"m0.user"},
		Actions: []exact.Action{
			action("rhosts 0 to 1", "m1.trusts 0", 0.8, "ftp 0 to 1", "m0.user"),
			action("rsh 0 to 1", "m1.user", 0.9, "", "m0.user", "m1.trusts 0"),
			action("overflow sshd 0 to 1", "m1.user", 0.1, "sshd 0 to 1", "m0.user"),
			action("rhosts 0 to 2", "m2.trusts 0", 0.8, "ftp 0 to 2", "m0.user"),
			action("rsh 0 to 2", "m2.user", 0.9, "", "m0.user", "m2.trusts 0"),
			action("rhosts 1 to 2", "m2.trusts 1", 0.8, "ftp 1 to 2", "m1.user"),
			action("rsh 1 to 2", "m2.user", 0.9, "", "m1.user", "m2.trusts 1"),
			action("rhosts 2 to 1", "m1.trusts 2", 0.8, "ftp 2 to 1", "m2.user"),
			action("rsh 2 to 1", "m1.user", 0.9, "", "m2.user", "m1.trusts 2"),
			action("overflow sshd 2 to 1", "m1.user", 0.1, "sshd 2 to 1", "m2.user"),
			action("overflow locally on 1", "m1.root", 0.1, "local 1", "m1.user"),
			action("overflow locally on 2", "m2.root", 0.1, "local 2", "m2.user"),
		},
		Goals: []string{"m2.root", "m1.root"},
	}
}

// webAndDatabase is the network of NISTIR 7788 and Homer et al. (2013): the internet reaches a web server, people at a
// workstation browse the web and their own web server, and both hosts reach the database. Access complexity high, medium and
// low is 0.2, 0.6 and 0.9. Without the visit of the web server that was taken over it has no cycle over the workstation.
func webAndDatabase() Case {
	return Case{
		Name: "web, database, workstation",
		Init: []string{"internet.attacker"},
		Actions: []exact.Action{
			action("send to httpd", "web.reached", 1, "", "internet.attacker"),
			action("send to httpd from within", "web.reached", 1, "", "work.user"),
			action("exploit httpd", "web.apache", 0.2, "CVE-2006-3747 on web", "web.reached"),
			action("visit a bad site", "work.lured", 0.8, "browsing the web", "internet.attacker"),
			action("visit the own site", "work.lured", 0.8, "browsing the own site", "web.apache"),
			action("exploit the browser", "work.user", 0.9, "CVE-2009-1918 on work", "work.lured"),
			action("send to mysqld from web", "db.reached", 1, "", "web.apache"),
			action("send to mysqld from work", "db.reached", 1, "", "work.user"),
			action("exploit mysqld", "db.root", 0.6, "CVE-2009-2446 on db", "db.reached"),
		},
		Goals: []string{"db.root", "work.user"},
	}
}
