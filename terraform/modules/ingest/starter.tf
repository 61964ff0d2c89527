# For those who switch a single GPU host off: a function (command_line/ml_host) that starts it when a file or a job comes,
# brings its models up by Session Manager, and stops it again. A group of ML hosts starts from nothing by its own policy.

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
      { Sid = "OnAndOff", Effect = "Allow", Action = ["ec2:StartInstances", "ec2:StopInstances"], Resource = var.starter_host.arn },
      { Sid = "ItsDisks", Effect = "Allow", Action = "kms:CreateGrant", Resource = var.key_arn, Condition = {
        Bool         = { "kms:GrantIsForAWSResource" = "true" }
        StringEquals = { "kms:ViaService" = "ec2.${data.aws_region.here.name}.amazonaws.com" }
      } },
      { Sid = "BringModelsUp", Effect = "Allow", Action = "ssm:SendCommand", Resource = [aws_ssm_document.start[0].arn, var.starter_host.arn] },
      # AWS knows no single resource for these; none changes anything.
      { Sid = "See", Effect = "Allow", Resource = "*", Action = [
        "ec2:DescribeInstances", "ssm:DescribeInstanceInformation", "ssm:ListCommands", "ssm:GetCommandInvocation", "cloudwatch:GetMetricStatistics",
      ] },
      { Sid = "FilesThatWait", Effect = "Allow", Action = "sqs:GetQueueAttributes", Resource = aws_sqs_queue.incoming.arn },
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
    variables = {
      LIGHTBOX_ML_INSTANCE_ID    = var.starter_host.id
      LIGHTBOX_ML_START_DOCUMENT = aws_ssm_document.start[0].name
      LIGHTBOX_PORTAL            = var.name
      LIGHTBOX_INCOMING_QUEUE    = aws_sqs_queue.incoming.url
      LIGHTBOX_IDLE_MINUTES      = tostring(var.idle_minutes)
    }
  }

  dead_letter_config {
    target_arn = aws_sqs_queue.dead.arn
  }

  tracing_config {
    mode = "Active"
  }

  depends_on = [aws_cloudwatch_log_group.starter]
}
