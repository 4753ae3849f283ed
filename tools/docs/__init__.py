"""Pictures for the documentation: screenshots of the page and drawings of the dashboards."""
