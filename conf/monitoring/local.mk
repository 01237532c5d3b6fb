# conf/monitoring - for those who watch httpd with Prometheus, Grafana, Nagios.
#
# One line a file: build/check-lists verifies it.
monitoringdir = $(pkgdatadir)/monitoring

dist_monitoring_DATA = \
	%D%/acme-status.schema.json \
	%D%/grafana-dashboard.json \
	%D%/nagios.cfg \
	%D%/prometheus-rules.test.yml \
	%D%/prometheus-rules.yml \
	%D%/prometheus.yml
