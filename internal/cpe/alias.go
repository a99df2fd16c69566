package cpe

import "strings"

// aliasTable lists the spellings under which one product stands in NVD and in scanners' output, a product a line:
// part, then vendor:product, the one NVD uses most today first. A product is here only when all its spellings mean the
// same software: forks, editions with their own releases and clients are other products.
const aliasTable = `
a f5:nginx nginx:nginx igor_sysoev:nginx f5:nginx_open_source nginx:nginx_open_source
a apache:http_server apache:apache_http_server apache:httpd apache_software_foundation:http_server apache:apache
a apache:tomcat org.apache.tomcat:tomcat apache_software_foundation:tomcat apache:apache_tomcat apache:coyote_http_connector
a openbsd:openssh openssh:openssh
a dropbear_ssh_project:dropbear_ssh matt_johnston:dropbear_ssh_server dropbear:dropbear_ssh matt_johnston:dropbear_ssh
a vsftpd_project:vsftpd beasts:vsftpd vsftpd:vsftpd
a proftpd:proftpd proftpd_project:proftpd
a pureftpd:pure-ftpd pure-ftpd:pure-ftpd
a filezilla-project:filezilla_server filezilla:filezilla_server
a washington_university:wu-ftpd university_of_washington:wu-ftpd
a solarwinds:serv-u solarwinds:serv-u_file_server solarwinds:serv-u_ftp_server
a microsoft:internet_information_services microsoft:internet_information_server microsoft:iis
a exim:exim university_of_cambridge:exim
a postfix:postfix wietse_venema:postfix
a sendmail:sendmail eric_allman:sendmail proofpoint:sendmail
a dovecot:dovecot open-xchange:dovecot timo_sirainen:dovecot
a cmu:cyrus_imap_server carnegie_mellon_university:cyrus_imap_server cyrus:imap cyrusimap:cyrus_imap
a oracle:mysql mysql:mysql oracle:mysql_server mysql:mysql_server sun:mysql
a mariadb:mariadb mariadb:mariadb_server
a postgresql:postgresql postgresql_global_development_group:postgresql
a redis:redis redislabs:redis pivotal_software:redis
a memcached:memcached memcachedb:memcached
a mongodb:mongodb mongodb:mongodb_server
a elastic:elasticsearch elasticsearch:elasticsearch org.elasticsearch:elasticsearch
a elastic:kibana elasticsearch:kibana
a elastic:logstash elasticsearch:logstash
a vmware:rabbitmq pivotal_software:rabbitmq broadcom:rabbitmq_server rabbitmq:rabbitmq-server vmware:rabbitmq_server rabbitmq:rabbitmq
a eclipse:mosquitto mosquitto:mosquitto eclipse:mosquitto_mqtt
a isc:bind isc:bind9 isc:bind_9
a thekelleys:dnsmasq dnsmasq:dnsmasq
a nlnetlabs:unbound unbound:unbound
a powerdns:recursor powerdns:powerdns_recursor
a samba:samba samba:smbd
a samba:rsync andrew_tridgell:rsync rsync:rsync rsync_project:rsync
a squid-cache:squid squid:squid squid:squid_web_proxy_cache national_science_foundation:squid_web_proxy_cache national_science_foundation:squid_web_proxy
a haproxy:haproxy haproxy_technologies:haproxy
a varnish-cache:varnish varnish_cache_project:varnish_cache varnish-software:varnish_cache varnish-cache:varnish_cache
a eclipse:jetty mortbay:jetty mortbay_jetty:jetty jetty:jetty jetty:jetty_http_server org.eclipse.jetty:jetty-server
a oracle:weblogic_server bea:weblogic_server bea_systems:weblogic_server bea:weblogic
a oracle:glassfish_server oracle:glassfish sun:glassfish_server
a redhat:jboss_application_server jboss:jboss_application_server
a redhat:wildfly redhat:jboss_wildfly_application_server
a jenkins:jenkins cloudbees:jenkins jenkins-ci:jenkins
a jetbrains:teamcity jetbrains:teamcity_server
a gogs:gogs gogits:gogs
a atlassian:confluence_server atlassian:confluence com.atlassian.confluence:confluence atlassian:confluence_data_center
a atlassian:jira_server atlassian:jira com.atlassian.jira:jira-core atlassian:jira_data_center
a openssl:openssl openssl_project:openssl
a php:php php_group:php
a nodejs:node.js joyent:node.js nodejs:nodejs
a joomla:joomla\! joomla:joomla
a phpbb:phpbb phpbb_group:phpbb
a dnnsoftware:dotnetnuke dotnetnuke:dotnetnuke
a adobe:coldfusion macromedia:coldfusion allaire:coldfusion
a adobe:magento magento:magento adobe:magento_open_source
a openprinting:cups apple:cups easy_software_products:cups cups:cups
a digium:asterisk asterisk:asterisk sangoma:asterisk
a digium:certified_asterisk asterisk:certified_asterisk sangoma:certified_asterisk
a haxx:curl curl:curl daniel_stenberg:curl curl_project:curl
a haxx:libcurl libcurl:libcurl curl:libcurl
a igniterealtime:openfire ignite_realtime:openfire
a unrealircd:unrealircd unreal:unrealircd
a apache:subversion subversion:subversion collabnet:subversion
a acme:thttpd acme_labs:thttpd
a goahead:goahead_webserver embedthis:goahead goahead_software:goahead_webserver
a embedthis:appweb mbedthis_software:mbedthis_appweb_http_server
a ivanti:connect_secure pulsesecure:pulse_connect_secure juniper:pulse_connect_secure
a citrix:netscaler_application_delivery_controller citrix:application_delivery_controller citrix:netscaler
a synacor:zimbra_collaboration_suite zimbra:zimbra_collaboration_suite synacor:zimbra_collaboration_server zimbra:collaboration
a roundcube:webmail roundcube:roundcube_webmail roundcube:roundcube
a valkey-io:valkey lfprojects:valkey linuxfoundation:valkey
a apache:zookeeper org.apache.zookeeper:zookeeper
a apache:kafka org.apache.kafka:kafka
a apache:activemq org.apache.activemq:apache-activemq org.apache.activemq:activemq-all
a apache:cassandra org.apache.cassandra:cassandra-all
a etcd:etcd redhat:etcd
a neutrinolabs:xrdp xrdp:xrdp
a redhat:keycloak keycloak:keycloak
a ghostscript:ghostscript artifex:ghostscript aladdin_enterprises:ghostscript
a clamav:clamav clam_anti-virus:clamav
a oisf:suricata suricata-ids:suricata openinfosecfoundation:suricata
a python:python python_software_foundation:python
a ruby-lang:ruby yukihiro_matsumoto:ruby
a djangoproject:django django_project:django
a rubyonrails:rails rubyonrails:ruby_on_rails david_hansson:ruby_on_rails
a rack:rack rack_project:rack
a puppet:puppet puppetlabs:puppet reductivelabs:puppet
a cacti:cacti the_cacti_group:cacti
a teclib-edition:glpi glpi-project:glpi
a mybb:mybb mybboard:mybb
a vmware:spring_framework pivotal_software:spring_framework springsource:spring_framework
a vmware:spring_boot pivotal_software:spring_boot
a vmware:spring_security pivotal_software:spring_security
a foxitsoftware:reader foxitsoftware:foxit_reader foxit:reader foxit_software:reader
a perl:perl larry_wall:perl
a git-scm:git git:git git_project:git
a vim:vim vim_development_group:vim vim_project:vim
a libpng:libpng greg_roelofs:libpng png_reference_library:libpng
a libtiff:libtiff remotesensing:libtiff
a xmlsoft:libxml2 libxml2:libxml2
a oracle:jre sun:jre
a oracle:jdk sun:jdk
a oracle:openjdk sun:openjdk
o linux:linux_kernel linux:kernel
o canonical:ubuntu_linux ubuntu:ubuntu_linux ubuntu:linux canonical:ubuntu
o debian:debian_linux debian:linux debian:debian
o redhat:enterprise_linux redhat:linux_enterprise red_hat:enterprise_linux
o fedoraproject:fedora redhat:fedora
o opensuse:opensuse opensuse_project:opensuse
o opensuse:leap opensuse_project:leap
o oracle:solaris sun:solaris
o apple:macos apple:mac_os_x apple:mac_os
`

// aliases maps every spelling to its whole group.
var aliases = parseAliases(aliasTable)

func parseAliases(table string) map[Product][]Product {
	groups := map[Product][]Product{}
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		group := make([]Product, 0, len(fields)-1)
		for _, f := range fields[1:] {
			vendor, name, _ := strings.Cut(f, ":")
			group = append(group, Product{Part: fields[0][0], Vendor: vendor, Product: name})
		}
		for _, p := range group {
			groups[p] = group
		}
	}
	return groups
}

// Aliases returns every spelling of the product that p names, p itself first. An alias means one product: whoever asks
// under one spelling gets the rules under all. The slice is the caller's.
func Aliases(p Product) []Product {
	all := []Product{p}
	for _, other := range aliases[p] {
		if other != p {
			all = append(all, other)
		}
	}
	return all
}

// Same says whether two products are one under different spellings.
func Same(a, b Product) bool {
	if a == b {
		return true
	}
	group := aliases[a]
	return len(group) > 0 && len(aliases[b]) > 0 && group[0] == aliases[b][0]
}
