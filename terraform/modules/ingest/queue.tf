# Object created below incoming/ → queue → App. A message that App cannot finish five times waits aside for a person.

data "aws_caller_identity" "me" {}
data "aws_region" "here" {}
data "aws_partition" "here" {}

resource "aws_sqs_queue" "dead" {
  name                      = "${var.name}-incoming-dead"
  message_retention_seconds = 14 * 24 * 3600
  kms_master_key_id         = var.key_arn
}

resource "aws_sqs_queue" "incoming" {
  name                       = "${var.name}-incoming"
  message_retention_seconds  = 14 * 24 * 3600 # a holiday with the portal switched off loses nothing
  receive_wait_time_seconds  = 20             # long poll
  visibility_timeout_seconds = 900            # longer than intake of one large file takes
  kms_master_key_id          = var.key_arn
  redrive_policy             = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead.arn, maxReceiveCount = 5 })
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyThisBucketTells"
      Effect    = "Allow"
      Principal = { Service = "s3.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = "arn:${data.aws_partition.here.partition}:sqs:${data.aws_region.here.name}:${data.aws_caller_identity.me.account_id}:${var.name}-incoming"
      Condition = {
        ArnEquals    = { "aws:SourceArn" = var.bucket.arn }
        StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.me.account_id }
      }
    }]
  })
}

resource "aws_s3_bucket_notification" "incoming" {
  bucket      = var.bucket.name
  eventbridge = var.starter != null

  queue {
    id            = "incoming"
    queue_arn     = aws_sqs_queue.incoming.arn
    events        = ["s3:ObjectCreated:*"]
    filter_prefix = var.prefix
  }
}
