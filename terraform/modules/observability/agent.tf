# The CloudWatch agent's configuration, one parameter a tier; `amazon-cloudwatch-agent-ctl -c ssm:NAME` reads it.
# App's own figures always go there when ML is a group, because its alarms grow and shrink it.

locals {
  host_figures = {
    namespace         = "Lightbox/Hosts"
    append_dimensions = { InstanceId = "$${aws:InstanceId}" }
    metrics_collected = {
      mem  = { measurement = ["used_percent"] }
      disk = { measurement = ["used_percent"], resources = ["/"] }
      cpu  = { measurement = ["usage_active"], totalcpu = true }
    }
  }
  agent = {
    for tier, ports in var.scrapes : tier => {
      metrics = local.host_figures
      logs = {
        metrics_collected = {
          prometheus = {
            log_group_name         = "/${var.name}/tiers/${tier}"
            prometheus_config_path = "env:PROMETHEUS_CONFIG_CONTENT"
            emf_processor = {
              metric_namespace = "Lightbox"
              metric_declaration = [{
                source_labels    = ["portal"]
                label_matcher    = "^${var.name}$"
                dimensions       = [["Portal"]]
                metric_selectors = ["^lightbox_"]
              }]
            }
          }
        }
      }
    }
  }
  scrape = {
    for tier, ports in var.scrapes : tier => {
      global         = { scrape_interval = "60s", scrape_timeout = "10s" }
      scrape_configs = [{ job_name = tier, static_configs = [{ targets = [for port in ports : "127.0.0.1:${port}"], labels = { Portal = var.name, portal = var.name } }] }]
    }
  }
}

resource "aws_ssm_parameter" "agent" {
  for_each = var.agent ? local.agent : {}
  name     = "/${var.name}/cloudwatch-agent/${each.key}"
  type     = "SecureString"
  key_id   = var.key_arn
  value    = jsonencode(each.value)
}

resource "aws_ssm_parameter" "scrape" {
  for_each = var.agent ? local.scrape : {}
  name     = "/${var.name}/cloudwatch-scrape/${each.key}"
  type     = "SecureString"
  key_id   = var.key_arn
  value    = yamlencode(each.value)
}
