"""The scripts of conf/hooks, against servers that check signatures. No httpd."""
