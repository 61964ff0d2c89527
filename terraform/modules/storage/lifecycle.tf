# What leaves by itself. Studies stay: retention of what is true is App's business, with its audit.

locals {
  with_lifecycle = var.keep == null ? 0 : 1
}

resource "aws_s3_bucket_lifecycle_configuration" "studies" {
  count      = local.with_lifecycle
  bucket     = aws_s3_bucket.kept["studies"].id
  depends_on = [aws_s3_bucket_versioning.kept]

  rule {
    id     = "unfinished-uploads"
    status = "Enabled"
    filter {}
    abort_incomplete_multipart_upload {
      days_after_initiation = 2
    }
    noncurrent_version_expiration {
      noncurrent_days = var.keep.old_version_days
    }
  }

  rule {
    id     = "old-studies-cheaper"
    status = "Enabled"
    filter {
      prefix = "studies/"
    }
    transition {
      days          = var.keep.archive_days
      storage_class = "STANDARD_IA"
    }
  }

  # App throws them away a day after they began; this is for when App is away.
  rule {
    id     = "direct-uploads-that-nobody-completed"
    status = "Enabled"
    filter {
      prefix = "uploads/"
    }
    expiration {
      days = 2
    }
    noncurrent_version_expiration {
      noncurrent_days = 1
    }
  }

  dynamic "rule" {
    for_each = toset(["processed", "rejected"])
    content {
      id     = "${rule.key}-inputs"
      status = "Enabled"
      filter {
        prefix = "${rule.key}/"
      }
      expiration {
        days = var.keep.inputs_days
      }
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "models" {
  count      = local.with_lifecycle
  bucket     = aws_s3_bucket.kept["models"].id
  depends_on = [aws_s3_bucket_versioning.kept]

  rule {
    id     = "unfinished-uploads"
    status = "Enabled"
    filter {}
    abort_incomplete_multipart_upload {
      days_after_initiation = 2
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "logs" {
  count  = local.with_lifecycle
  bucket = aws_s3_bucket.logs.id

  rule {
    id     = "old-logs"
    status = "Enabled"
    filter {}
    expiration {
      days = var.log_days
    }
    noncurrent_version_expiration {
      noncurrent_days = 30
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 2
    }
  }
}
