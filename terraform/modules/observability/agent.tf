# The CloudWatch agent's configuration, one parameter a tier. Ansible's role cloudwatch installs the agent, has it read this
# (`amazon-cloudwatch-agent-ctl -c ssm:NAME`), and writes the file that says which ports it reads on its own host.
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
    for tier in var.agent_tiers : tier => {
      metrics = local.host_figures
      logs = {
        metrics_collected = {
          prometheus = {
            log_group_name         = "/${var.name}/tiers/${tier}"
            prometheus_config_path = "/opt/aws/amazon-cloudwatch-agent/etc/lightbox-scrape.yml"
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
}

resource "aws_ssm_parameter" "agent" {
  for_each = local.agent
  name     = "/${var.name}/cloudwatch-agent/${each.key}"
  type     = "SecureString"
  key_id   = var.key_arn
  value    = jsonencode(each.value)
}
