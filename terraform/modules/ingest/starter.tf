# For those who switch a single GPU host off: a function that starts it when an alarm says that something waits.
# A group of ML hosts needs none of this; it starts from nothing by its own policy.

locals {
  with_starter = var.starter == null ? 0 : 1 # the root lets it be given for a single host only
}

resource "aws_cloudwatch_log_group" "starter" {
  count             = local.with_starter
  name              = "/aws/lambda/${var.name}-start-ml"
  retention_in_days = var.log_days
  kms_key_id        = var.key_arn
}

resource "aws_iam_role" "starter" {
  count = local.with_starter
  name  = "${var.name}-start-ml"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy" "starter" {
  count = local.with_starter
  name  = "start-one-host"
  role  = aws_iam_role.starter[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Sid = "StartIt", Effect = "Allow", Action = "ec2:StartInstances", Resource = var.starter_host.arn },
      { Sid = "SeeIt", Effect = "Allow", Action = ["ec2:DescribeInstances", "ssm:DescribeInstanceInformation"], Resource = "*" },
      { Sid = "Log", Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = "${aws_cloudwatch_log_group.starter[0].arn}:*" },
      { Sid = "Trace", Effect = "Allow", Action = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], Resource = "*" },
      { Sid = "Failures", Effect = "Allow", Action = "sqs:SendMessage", Resource = aws_sqs_queue.dead.arn },
      { Sid = "Key", Effect = "Allow", Action = ["kms:Decrypt", "kms:GenerateDataKey"], Resource = var.key_arn },
    ]
  })
}

resource "aws_lambda_function" "starter" {
  # checkov:skip=CKV_AWS_117: It calls EC2 and SSM only; inside the VPC it would need endpoints of its own.
  # checkov:skip=CKV_AWS_272: The package is built and hashed by the pipeline of this repository; code signing needs an account's own profile.
  count                          = local.with_starter
  function_name                  = "${var.name}-start-ml"
  role                           = aws_iam_role.starter[0].arn
  runtime                        = "python3.12"
  handler                        = var.starter.handler
  filename                       = var.starter.package
  source_code_hash               = filebase64sha256(var.starter.package)
  timeout                        = 60
  memory_size                    = 128
  reserved_concurrent_executions = 1 # one start at a time
  kms_key_arn                    = var.key_arn

  environment {
    variables = { LIGHTBOX_GPU_INSTANCE_ID = var.starter_host.id }
  }

  dead_letter_config {
    target_arn = aws_sqs_queue.dead.arn
  }

  tracing_config {
    mode = "Active"
  }

  depends_on = [aws_cloudwatch_log_group.starter]
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
