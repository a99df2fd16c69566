package catalogue

import "strings"

// displayNames are how people write the products that scans meet most, by "vendor:product" as in CPE names.
var displayNames = parseNames(`
openbsd:openssh OpenSSH
apache:http_server Apache HTTP Server
apache:tomcat Apache Tomcat
apache:struts Apache Struts
apache:log4j Apache Log4j
apache:activemq Apache ActiveMQ
apache:solr Apache Solr
apache:traffic_server Apache Traffic Server
f5:nginx nginx
nginx:nginx nginx
igor_sysoev:nginx nginx
microsoft:internet_information_services Microsoft IIS
microsoft:internet_information_server Microsoft IIS
microsoft:exchange_server Microsoft Exchange Server
microsoft:sharepoint_server Microsoft SharePoint Server
microsoft:sql_server Microsoft SQL Server
vsftpd_project:vsftpd vsftpd
beasts:vsftpd vsftpd
proftpd:proftpd ProFTPD
proftpd_project:proftpd ProFTPD
pureftpd:pure-ftpd Pure-FTPd
exim:exim Exim
postfix:postfix Postfix
wietse_venema:postfix Postfix
sendmail:sendmail Sendmail
dovecot:dovecot Dovecot
cyrus:imap Cyrus IMAP
synacor:zimbra_collaboration_suite Zimbra Collaboration
zimbra:collaboration Zimbra Collaboration
oracle:mysql MySQL
mysql:mysql MySQL
mariadb:mariadb MariaDB
postgresql:postgresql PostgreSQL
redis:redis Redis
redislabs:redis Redis
memcached:memcached memcached
mongodb:mongodb MongoDB
elastic:elasticsearch Elasticsearch
elasticsearch:elasticsearch Elasticsearch
elastic:kibana Kibana
elasticsearch:kibana Kibana
couchdb:couchdb CouchDB
apache:couchdb Apache CouchDB
isc:bind ISC BIND
isc:dhcp ISC DHCP
thekelleys:dnsmasq dnsmasq
nlnetlabs:unbound Unbound
nlnetlabs:nsd NSD
powerdns:authoritative PowerDNS Authoritative
powerdns:recursor PowerDNS Recursor
samba:samba Samba
samba:rsync rsync
squid-cache:squid Squid
haproxy:haproxy HAProxy
varnish-cache:varnish Varnish
lighttpd:lighttpd lighttpd
eclipse:jetty Eclipse Jetty
mortbay:jetty Eclipse Jetty
eclipse:mosquitto Eclipse Mosquitto
vmware:rabbitmq RabbitMQ
pivotal_software:rabbitmq RabbitMQ
oracle:weblogic_server Oracle WebLogic Server
oracle:glassfish_server Oracle GlassFish Server
redhat:jboss_enterprise_application_platform Red Hat JBoss EAP
ibm:websphere_application_server IBM WebSphere Application Server
jenkins:jenkins Jenkins
jetbrains:teamcity JetBrains TeamCity
gitlab:gitlab GitLab
atlassian:confluence_server Atlassian Confluence
atlassian:confluence_data_center Atlassian Confluence
atlassian:jira_server Atlassian Jira
atlassian:bitbucket Atlassian Bitbucket
openssl:openssl OpenSSL
php:php PHP
nodejs:node.js Node.js
wordpress:wordpress WordPress
drupal:drupal Drupal
joomla:joomla\! Joomla
phpmyadmin:phpmyadmin phpMyAdmin
roundcube:webmail Roundcube
cisco:adaptive_security_appliance_software Cisco ASA
cisco:ios Cisco IOS
cisco:ios_xe Cisco IOS XE
cisco:firepower_threat_defense Cisco FTD
fortinet:fortios Fortinet FortiOS
fortinet:fortiproxy Fortinet FortiProxy
paloaltonetworks:pan-os Palo Alto PAN-OS
juniper:junos Juniper Junos
ivanti:connect_secure Ivanti Connect Secure
pulsesecure:pulse_connect_secure Pulse Connect Secure
citrix:netscaler_application_delivery_controller Citrix NetScaler ADC
citrix:application_delivery_controller_firmware Citrix ADC
citrix:netscaler_gateway Citrix NetScaler Gateway
f5:big-ip_access_policy_manager F5 BIG-IP
f5:big-ip_application_security_manager F5 BIG-IP
f5:big-ip_local_traffic_manager F5 BIG-IP
sonicwall:sonicos SonicWall SonicOS
vmware:vcenter_server VMware vCenter Server
vmware:esxi VMware ESXi
openvpn:openvpn OpenVPN
dropbear_ssh_project:dropbear_ssh Dropbear SSH
matt_johnston:dropbear_ssh_server Dropbear SSH
libssh:libssh libssh
linux:linux_kernel Linux kernel
microsoft:windows Microsoft Windows
google:chrome Google Chrome
mozilla:firefox Mozilla Firefox
apple:iphone_os Apple iOS
apple:macos Apple macOS
apple:mac_os_x Apple macOS
debian:debian_linux Debian
canonical:ubuntu_linux Ubuntu
fedoraproject:fedora Fedora
redhat:enterprise_linux Red Hat Enterprise Linux
haxx:curl curl
haxx:libcurl libcurl
`)

func parseNames(table string) map[string]string {
	names := map[string]string{}
	for line := range strings.Lines(table) {
		if key, name, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			names[key] = name
		}
	}
	return names
}

// acronyms are words that stay in capitals, and a few whose makers spell them their own way.
var acronyms = map[string]string{
	"ssh": "SSH", "ssl": "SSL", "tls": "TLS", "http": "HTTP", "https": "HTTPS", "ftp": "FTP", "sftp": "SFTP", "smtp": "SMTP",
	"imap": "IMAP", "dns": "DNS", "dhcp": "DHCP", "vpn": "VPN", "php": "PHP", "sql": "SQL", "xml": "XML", "json": "JSON",
	"api": "API", "cms": "CMS", "crm": "CRM", "erp": "ERP", "ios": "IOS", "os": "OS", "ip": "IP", "tcp": "TCP", "udp": "UDP",
	"usb": "USB", "pdf": "PDF", "cgi": "CGI", "sdk": "SDK", "gpu": "GPU", "cpu": "CPU", "ibm": "IBM", "hp": "HP", "sap": "SAP",
	"nas": "NAS", "ui": "UI", "id": "ID", "rpc": "RPC", "ldap": "LDAP", "snmp": "SNMP", "mqtt": "MQTT", "db2": "DB2", "iis": "IIS",
	"vmware": "VMware", "wordpress": "WordPress", "mysql": "MySQL", "github": "GitHub", "openssl": "OpenSSL", "macos": "macOS",
	"isc": "ISC", "gnu": "GNU", "amd": "AMD", "qnap": "QNAP", "zte": "ZTE", "lg": "LG", "sun": "Sun", "3com": "3Com",
}

// DisplayName writes "vendor:product" of a CPE name as people do: a known name, or vendor and product with capitals
// and without saying the same twice.
func DisplayName(vendorProduct string) string {
	if name, ok := displayNames[vendorProduct]; ok {
		return name
	}
	// Only the colon between the two is bare.
	vendor, product := vendorProduct, ""
	for i := 0; i < len(vendorProduct); i++ {
		if vendorProduct[i] == '\\' {
			i++
		} else if vendorProduct[i] == ':' {
			vendor, product = vendorProduct[:i], vendorProduct[i+1:]
			break
		}
	}
	vendor = strings.TrimSuffix(vendor, "_project")
	maker, name := words(vendor), words(product)
	if name == "" {
		return maker
	}
	lower := strings.ToLower(name)
	if maker == "" || strings.HasPrefix(lower, strings.ToLower(maker)) || strings.Contains(strings.ToLower(maker), lower) {
		return name
	}
	return maker + " " + name
}

// plainWords undoes what a CPE value does to blanks and punctuation.
var plainWords = strings.NewReplacer(`\`, "", "_", " ")

func words(value string) string {
	fields := strings.Fields(plainWords.Replace(value))
	for i, f := range fields {
		fields[i] = word(f)
	}
	return strings.Join(fields, " ")
}

func word(s string) string {
	if known, ok := acronyms[s]; ok {
		return known
	}
	return capital(s)
}

func capital(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return string(s[0]-'a'+'A') + s[1:]
}
