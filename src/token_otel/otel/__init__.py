"""The only place that speaks OpenTelemetry: names, spans, metrics, the file exporter."""
