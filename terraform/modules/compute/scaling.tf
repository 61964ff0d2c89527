# ML grows with the age of the oldest waiting job, which is what a doctor feels; UI and App with their processors' load.

locals {
  ml_group   = { for tier, what in local.grouped : tier => what if tier == "ml" }
  cpu_groups = { for tier, what in local.grouped : tier => what if tier != "ml" }
  metrics    = { namespace = "Lightbox", dimension = { Portal = var.name } }
}

resource "aws_autoscaling_policy" "ml_more" {
  for_each               = local.ml_group
  name                   = "queue-is-old"
  autoscaling_group_name = aws_autoscaling_group.tier[each.key].name
  policy_type            = "StepScaling"
  adjustment_type        = "ChangeInCapacity"

  step_adjustment {
    metric_interval_lower_bound = 0
    metric_interval_upper_bound = 4 * var.scale_on_queue_age_s
    scaling_adjustment          = 1
  }

  step_adjustment {
    metric_interval_lower_bound = 4 * var.scale_on_queue_age_s
    scaling_adjustment          = 2
  }
}

resource "aws_cloudwatch_metric_alarm" "ml_more" {
  for_each            = local.ml_group
  alarm_name          = "${var.name}-ml-queue-is-old"
  alarm_description   = "The oldest job waits too long: one more ML host, two when it waits very long."
  namespace           = local.metrics.namespace
  metric_name         = "lightbox_app_queue_oldest_seconds"
  dimensions          = local.metrics.dimension
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.scale_on_queue_age_s
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_autoscaling_policy.ml_more[each.key].arn]
}

resource "aws_autoscaling_policy" "ml_fewer" {
  for_each               = local.ml_group
  name                   = "nothing-waits"
  autoscaling_group_name = aws_autoscaling_group.tier[each.key].name
  policy_type            = "SimpleScaling"
  adjustment_type        = "ExactCapacity"
  scaling_adjustment     = each.value.group.min
  cooldown               = 300
}

resource "aws_cloudwatch_metric_alarm" "ml_fewer" {
  for_each            = local.ml_group
  alarm_name          = "${var.name}-ml-nothing-waits"
  alarm_description   = "No job waited for a while: ML goes back to its minimum."
  namespace           = local.metrics.namespace
  metric_name         = "lightbox_app_queue_jobs"
  dimensions          = local.metrics.dimension
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = var.idle_minutes
  comparison_operator = "LessThanOrEqualToThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching" # without figures nothing is switched off
  alarm_actions       = [aws_autoscaling_policy.ml_fewer[each.key].arn]
}

resource "aws_autoscaling_policy" "cpu" {
  for_each               = local.cpu_groups
  name                   = "processors-at-60-percent"
  autoscaling_group_name = aws_autoscaling_group.tier[each.key].name
  policy_type            = "TargetTrackingScaling"

  target_tracking_configuration {
    target_value = 60
    predefined_metric_specification {
      predefined_metric_type = "ASGAverageCPUUtilization"
    }
  }
}
