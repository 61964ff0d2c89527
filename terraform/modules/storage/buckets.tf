# Three buckets: studies (originals, artifacts, incoming files), models (the registry) and logs (who read the other two).

locals {
  kept = { studies = var.buckets.studies, models = var.buckets.models }
}

resource "aws_s3_bucket" "kept" {
  # checkov:skip=CKV_AWS_144: Copies in another region are the hospital's choice: patient data may not leave the country unasked.
  # checkov:skip=CKV2_AWS_62: The ingest module sends events of `incoming/` only; nobody listens to the rest.
  # checkov:skip=CKV2_AWS_61: lifecycle.tf has one for each; checkov does not see through the map.
  for_each = local.kept
  bucket   = each.value
  tags     = { Name = each.value }
}

resource "aws_s3_bucket_versioning" "kept" {
  for_each = aws_s3_bucket.kept
  bucket   = each.value.id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "kept" {
  for_each = aws_s3_bucket.kept
  bucket   = each.value.id
  rule {
    bucket_key_enabled = true
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = var.key_arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "all" {
  for_each                = merge({ for key, bucket in aws_s3_bucket.kept : key => bucket.id }, { logs = aws_s3_bucket.logs.id })
  bucket                  = each.value
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "kept" {
  for_each = aws_s3_bucket.kept
  bucket   = each.value.id
  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_logging" "kept" {
  for_each      = aws_s3_bucket.kept
  bucket        = each.value.id
  target_bucket = aws_s3_bucket.logs.id
  target_prefix = "${each.key}/"
  depends_on    = [aws_s3_bucket_policy.logs] # S3 refuses a bucket that it may not write to
}

resource "aws_s3_bucket_policy" "tls" {
  for_each = aws_s3_bucket.kept
  bucket   = each.value.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "OnlyOverTls", Effect = "Deny", Principal = "*", Action = "s3:*"
        Resource  = [each.value.arn, "${each.value.arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        Sid      = "OnlyWithThisKey", Effect = "Deny", Principal = "*", Action = "s3:PutObject"
        Resource = "${each.value.arn}/*"
        # Without the header the bucket's own setting takes this key; `Null` lets such requests through.
        Condition = {
          StringNotEquals = { "s3:x-amz-server-side-encryption-aws-kms-key-id" = var.key_arn }
          Null            = { "s3:x-amz-server-side-encryption-aws-kms-key-id" = "false" }
        }
      },
    ]
  })
  depends_on = [aws_s3_bucket_public_access_block.all]
}
