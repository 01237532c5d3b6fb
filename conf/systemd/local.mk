# conf/systemd - a drop-in that confines the service of httpd.

systemddir = $(pkgdatadir)/systemd

dist_systemd_DATA = \
	%D%/confine.conf
