# What wakes the function: a file that came, a job that waits, and a clock that makes up for whatever was lost. And what it
# may run on the host: one document without parameters.

resource "aws_cloudwatch_event_rule" "starter" {
  for_each = local.with_starter == 0 ? {} : {
    file = { event_pattern = jsonencode({
      source        = ["aws.s3"]
      "detail-type" = ["Object Created"]
      detail        = { bucket = { name = [var.bucket.name] }, object = { key = [{ prefix = var.prefix }] } }
    }), schedule = null }
    clock = { event_pattern = null, schedule = "rate(1 minute)" }
  }
  name                = "${var.name}-start-ml-${each.key}"
  event_pattern       = each.value.event_pattern
  schedule_expression = each.value.schedule
}

resource "aws_cloudwatch_event_target" "starter" {
  for_each = aws_cloudwatch_event_rule.starter
  rule     = each.value.name
  arn      = aws_lambda_function.starter[0].arn
}

resource "aws_lambda_permission" "rule" {
  for_each      = aws_cloudwatch_event_rule.starter
  statement_id  = each.key
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.starter[0].function_name
  principal     = "events.amazonaws.com"
  source_arn    = each.value.arn
}

resource "aws_cloudwatch_metric_alarm" "waiting" {
  count               = local.with_starter
  alarm_name          = "${var.name}-a-job-waits-for-ml"
  alarm_description   = "A job waits and the ML host may be off: start it."
  namespace           = "Lightbox"
  metric_name         = "lightbox_app_queue_oldest_seconds"
  dimensions          = { Portal = var.name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_lambda_function.starter[0].arn]
}

resource "aws_lambda_permission" "alarm" {
  count         = local.with_starter
  statement_id  = "alarm"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.starter[0].function_name
  principal     = "lambda.alarms.cloudwatch.amazonaws.com"
  source_arn    = aws_cloudwatch_metric_alarm.waiting[0].arn
}

resource "aws_ssm_document" "start" {
  count           = local.with_starter
  name            = "${var.name}-start-ml"
  document_type   = "Command"
  document_format = "JSON"
  content = jsonencode({
    schemaVersion = "2.2"
    description   = "Starts the models of ${var.name} and waits until they answer."
    mainSteps = [{
      action = "aws:runShellScript"
      name   = "start"
      inputs = {
        timeoutSeconds = "600"
        runCommand = [
          "set -eu",
          "systemctl start lightbox-ml.service",
          "for attempt in $(seq 120); do",
          "  for scheme in https http; do",
          "    curl --silent --fail --insecure --max-time 4 --output /dev/null $scheme://127.0.0.1:8000/v2/health/ready && exit 0",
          "  done",
          "  sleep 4",
          "done",
          "systemctl --no-pager --lines=0 status lightbox-ml.service >&2",
          "exit 1",
        ]
      }
    }]
  })
}
