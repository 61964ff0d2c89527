# What AWS HealthImaging imports DICOM results as (LIGHTBOX_HEALTHIMAGING_ROLE): it may use one folder of the studies' bucket.
# https://docs.aws.amazon.com/healthimaging/latest/devguide/getting-started-setting-up.html

locals {
  with_healthimaging   = var.healthimaging_datastore == "" ? 0 : 1
  healthimaging_folder = "healthimaging"
}

resource "aws_iam_role" "import" {
  count = local.with_healthimaging
  name  = "${var.name}-import"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "medical-imaging.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_iam_role_policy" "import" {
  count = local.with_healthimaging
  name  = "one-folder"
  role  = aws_iam_role.import[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Sid = "FolderByName", Effect = "Allow", Resource = local.arn.studies, Action = ["s3:ListBucket"] },
      { Sid = "Folder", Effect = "Allow", Resource = "${local.arn.studies}/${local.healthimaging_folder}/*", Action = ["s3:GetObject", "s3:PutObject"] },
      { Sid = "KeyOfTheFolder", Effect = "Allow", Resource = aws_kms_key.data.arn, Action = ["kms:Decrypt", "kms:GenerateDataKey"], Condition = { StringEquals = { "kms:ViaService" = ["s3.${local.region}.amazonaws.com"] } } },
    ]
  })
}
