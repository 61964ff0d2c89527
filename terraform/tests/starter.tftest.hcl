# The function that switches the ML host on and off: who wakes it, what it may do.

mock_provider "aws" {
  source = "./tests/mocked"
}

variables {
  name         = "lightbox"
  bucket       = { name = "films", arn = "arn:aws:s3:::films" }
  key_arn      = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  starter      = { package = "./network_matrix.json", handler = "command_line.ml_host.handler.on_event" } # any file will do here
  starter_host = { id = "i-1", arn = "arn:aws:ec2:eu-central-1:123456789012:instance/i-1" }
  idle_minutes = 20
  log_days     = 30
}

run "with" {
  module {
    source = "./modules/ingest"
  }

  assert {
    condition     = toset(keys(aws_cloudwatch_event_rule.starter)) == toset(["file", "clock"]) && aws_s3_bucket_notification.incoming.eventbridge
    error_message = "Files that come, and the clock, must wake the function."
  }
  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.starter["file"].event_pattern).detail.object.key[0].prefix == "incoming/"
    error_message = "Only files below incoming/ are work."
  }
  assert {
    condition     = alltrue([for permission in values(aws_lambda_permission.rule) : permission.source_arn != null && permission.principal == "events.amazonaws.com"])
    error_message = "A rule of anybody's could call the function."
  }
  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_role_policy.starter[0].policy).Statement :
      statement.Resource != "*" || alltrue([for action in flatten([statement.Action]) : can(regex("^(ec2:Describe|ssm:(Describe|List|Get)|cloudwatch:Get|xray:Put)", action))])
    ])
    error_message = "Everywhere it may look and do nothing else."
  }
  assert {
    condition     = one([for statement in jsondecode(aws_iam_role_policy.starter[0].policy).Statement : statement.Resource if statement.Sid == "OnAndOff"]) == var.starter_host.arn
    error_message = "It switches this one host and no other."
  }
  assert {
    condition     = aws_lambda_function.starter[0].environment[0].variables.LIGHTBOX_IDLE_MINUTES == "20"
    error_message = "The function must be told when nobody works."
  }
  assert {
    condition     = aws_lambda_function.starter[0].reserved_concurrent_executions == 1
    error_message = "One look at a time."
  }
}

run "without" {
  module {
    source = "./modules/ingest"
  }
  variables {
    starter      = null
    starter_host = null
  }

  assert {
    condition     = length(aws_lambda_function.starter) == 0 && length(aws_cloudwatch_event_rule.starter) == 0 && !aws_s3_bucket_notification.incoming.eventbridge
    error_message = "Without it nothing of it is made."
  }
}
