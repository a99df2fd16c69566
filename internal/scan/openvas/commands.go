package openvas

import "encoding/xml"

// The commands.
type (
	cmdVersion struct {
		XMLName xml.Name `xml:"get_version"`
	}
	cmdLogin struct {
		XMLName  xml.Name `xml:"authenticate"`
		Username string   `xml:"credentials>username"`
		Password string   `xml:"credentials>password"`
	}
	ref struct {
		ID string `xml:"id,attr"`
	}
	cmdTarget struct {
		XMLName  xml.Name `xml:"create_target"`
		Name     string   `xml:"name"`
		Comment  string   `xml:"comment"`
		Hosts    string   `xml:"hosts"`
		Alive    string   `xml:"alive_tests,omitempty"`
		Range    string   `xml:"port_range,omitempty"`
		PortList *ref     `xml:"port_list"`
	}
	cmdTask struct {
		XMLName xml.Name `xml:"create_task"`
		Name    string   `xml:"name"`
		Comment string   `xml:"comment"`
		Config  ref      `xml:"config"`
		Target  ref      `xml:"target"`
		Scanner ref      `xml:"scanner"`
	}
	cmdStart struct {
		XMLName xml.Name `xml:"start_task"`
		ID      string   `xml:"task_id,attr"`
	}
	cmdStop struct {
		XMLName xml.Name `xml:"stop_task"`
		ID      string   `xml:"task_id,attr"`
	}
	cmdTasks struct {
		XMLName xml.Name `xml:"get_tasks"`
		ID      string   `xml:"task_id,attr"`
	}
	cmdPortLists struct {
		XMLName xml.Name `xml:"get_port_lists"`
		ID      string   `xml:"port_list_id,attr"`
		Details int      `xml:"details,attr"`
	}
	cmdDeleteTask struct {
		XMLName  xml.Name `xml:"delete_task"`
		ID       string   `xml:"task_id,attr"`
		Ultimate int      `xml:"ultimate,attr"`
	}
	cmdDeleteTarget struct {
		XMLName  xml.Name `xml:"delete_target"`
		ID       string   `xml:"target_id,attr"`
		Ultimate int      `xml:"ultimate,attr"`
	}
	cmdReports struct {
		XMLName xml.Name `xml:"get_reports"`
		ID      string   `xml:"report_id,attr"`
		Format  string   `xml:"format_id,attr"`
		Details int      `xml:"details,attr"`
		All     int      `xml:"ignore_pagination,attr"`
		Filter  string   `xml:"filter,attr"`
	}
)
