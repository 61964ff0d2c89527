# Who read or wrote which object. S3 itself writes here.

resource "aws_s3_bucket" "logs" {
  # checkov:skip=CKV_AWS_18: A bucket of access logs does not log itself: that never ends.
  # checkov:skip=CKV_AWS_144: See buckets.tf: copies in another region are the hospital's choice.
  # checkov:skip=CKV2_AWS_62: Nobody listens to single log files.
  # checkov:skip=CKV_AWS_145: S3 delivers access logs only to buckets with its own key (SSE-S3); they hold names of objects, not images.
  bucket = var.buckets.logs
  tags   = { Name = var.buckets.logs }
}

resource "aws_s3_bucket_versioning" "logs" {
  bucket = aws_s3_bucket.logs.id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "logs" {
  bucket = aws_s3_bucket.logs.id
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_ownership_controls" "logs" {
  bucket = aws_s3_bucket.logs.id
  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_policy" "logs" {
  bucket = aws_s3_bucket.logs.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "S3WritesLogs", Effect = "Allow", Principal = { Service = "logging.s3.amazonaws.com" }
        Action    = "s3:PutObject"
        Resource  = "${aws_s3_bucket.logs.arn}/*"
        Condition = { ArnLike = { "aws:SourceArn" = [for bucket in aws_s3_bucket.kept : bucket.arn] } }
      },
      {
        Sid       = "OnlyOverTls", Effect = "Deny", Principal = "*", Action = "s3:*"
        Resource  = [aws_s3_bucket.logs.arn, "${aws_s3_bucket.logs.arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
  depends_on = [aws_s3_bucket_public_access_block.all]
}
