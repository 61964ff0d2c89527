# Hosts and groups.

mock_provider "aws" {
  source = "./tests/mocked"
}

variables {
  name   = "lightbox"
  vpc_id = "vpc-1"
  tiers = {
    edge = { instance_type = "t3.micro", root_gb = 20 }
    ui   = { instance_type = "t3.small", root_gb = 20, group = { min = 1, desired = 1, max = 2 } }
    app  = { instance_type = "t3.medium", root_gb = 35, data_gb = 100 }
    ml   = { instance_type = "g4dn.xlarge", root_gb = 60, group = { min = 0, desired = 0, max = 3 } }
  }
  reach                = { edge = "public", ui = "private", app = "private", ml = "private" }
  subnets              = { public = { a = { id = "subnet-1", cidr = "10.0.1.0/24", zone = "eu-central-1a" } }, private = { a = { id = "subnet-2", cidr = "10.0.2.0/24", zone = "eu-central-1a" } } }
  security_groups      = { edge = "sg-1", ui = "sg-2", app = "sg-3", ml = "sg-4", balancer = "sg-5" }
  profiles             = { edge = "p-edge", ui = "p-ui", app = "p-app", ml = "p-ml" }
  ports                = { ui = 5001, app = 5000, ml = 8000 }
  image_ids            = { edge = "ami-1", ui = "ami-1", app = "ami-1", ml = "ami-2" }
  key_arn              = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  scale_on_queue_age_s = 30
  idle_minutes         = 20
  protect              = true
  deploy_script        = "true"
}

run "hosts_and_groups" {
  module {
    source = "./modules/compute"
  }

  assert {
    condition     = alltrue([for what in concat(values(aws_instance.host), values(aws_launch_template.tier)) : one(what.metadata_options).http_tokens == "required"])
    error_message = "A host answers to IMDSv1."
  }
  assert {
    condition     = alltrue([for host in aws_instance.host : one(host.root_block_device).encrypted]) && alltrue([for disk in aws_ebs_volume.data : disk.encrypted]) && alltrue([for template in aws_launch_template.tier : one(one(template.block_device_mappings).ebs).encrypted == "true"])
    error_message = "A disk is not encrypted."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.ml_more["ml"].metric_name == "lightbox_app_queue_oldest_seconds" && aws_cloudwatch_metric_alarm.ml_more["ml"].threshold == 30 && aws_cloudwatch_metric_alarm.ml_more["ml"].alarm_actions == toset([aws_autoscaling_policy.ml_more["ml"].arn])
    error_message = "ML does not grow with the age of the queue."
  }
  assert {
    condition     = aws_autoscaling_policy.ml_fewer["ml"].scaling_adjustment == 0 && aws_cloudwatch_metric_alarm.ml_fewer["ml"].evaluation_periods == 20
    error_message = "ML does not go back to none after twenty idle minutes."
  }
  assert {
    condition     = keys(aws_autoscaling_policy.cpu) == ["ui"]
    error_message = "ML must not be scaled by its processors' load."
  }
  assert {
    condition     = aws_lb.internal[0].internal && toset([for listener in aws_lb_listener.tier : listener.port]) == toset([5001, 8000])
    error_message = "Expected an internal balancer for UI and ML."
  }
  assert {
    condition     = keys(aws_eip.public) == ["edge"]
    error_message = "A host other than the edge has a public address."
  }
}
