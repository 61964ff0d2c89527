# What AWS sees and Prometheus cannot: hosts that fail their checks, a database that fills, events that nobody could finish.

resource "aws_cloudwatch_metric_alarm" "host" {
  for_each            = var.hosts
  alarm_name          = "${var.name}-${each.key}-fails-its-checks"
  alarm_description   = "The host or the machine below it is broken: AWS starts it on another machine."
  namespace           = "AWS/EC2"
  metric_name         = "StatusCheckFailed_System"
  dimensions          = { InstanceId = each.value }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  alarm_actions       = ["arn:aws:automate:${data.aws_region.here.name}:ec2:recover", aws_sns_topic.alarms.arn]
}

data "aws_region" "here" {}

resource "aws_cloudwatch_metric_alarm" "dead_events" {
  alarm_name          = "${var.name}-events-nobody-could-finish"
  alarm_description   = "Files came that did not become studies: look at the dead queue."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = var.dead_queue_name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "database_fills" {
  count               = var.database == "" ? 0 : 1
  alarm_name          = "${var.name}-database-fills"
  alarm_description   = "Less than 5 GB are left to the database."
  namespace           = "AWS/RDS"
  metric_name         = "FreeStorageSpace"
  dimensions          = { DBInstanceIdentifier = var.database }
  statistic           = "Minimum"
  period              = 300
  evaluation_periods  = 2
  comparison_operator = "LessThanThreshold"
  threshold           = 5 * 1024 * 1024 * 1024
  alarm_actions       = [aws_sns_topic.alarms.arn]
}
